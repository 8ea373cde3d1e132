"""Reads names and passwords out of `Authorization: Basic` (RFC 7617), strictly.

A login has many spellings in a field: the scheme in any case, spaces, bits of base64 that say
nothing, characters in other forms of Unicode. All of them are read as one, which is what is to be
counted and cached.
"""

from __future__ import annotations

import unicodedata
from base64 import b64decode
from binascii import Error as NoBase64
from typing import Final, NamedTuple

from gateway.policies.auth.scheme import of_scheme

SCHEME: Final = "Basic"

LONGEST_NAME: Final = 128
LONGEST_PASSWORD: Final = 256
_LONGEST: Final = 2048  # characters of base64: both of them, of four bytes each

_SCHEME: Final = of_scheme(SCHEME)


class Login(NamedTuple):
    """A name, and the password that is said to be its."""

    name: str
    password: str

    def __repr__(self) -> str:
        return "Login(…)"


class MalformedError(ValueError):
    """It is no name and password. The text says what is wrong, and nothing of what was there."""


def is_basic(value: str) -> bool:
    """Whether the value of a field is of this scheme, well formed or not."""
    return _SCHEME.match(value) is not None


def read_basic(value: str) -> Login:
    """Returns the name and the password.

    Both are taken in Unicode's normal form C (RFC 7617 section 2.1 asks for it).

    Args:
        value: The value of the field, of this scheme.

    Raises:
        MalformedError: It is not one name and one password in UTF-8.
    """
    rest = value[len(SCHEME) :]
    if rest[:1] not in ("", " "):
        raise MalformedError("no space behind the scheme")
    encoded = rest.strip(" ")
    if not 0 < len(encoded) <= _LONGEST:
        raise MalformedError("nothing behind the scheme, or too much")
    try:
        data = b64decode(encoded, validate=True)
    except (NoBase64, ValueError) as failure:
        raise MalformedError("no base64") from failure
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as failure:
        raise MalformedError("not UTF-8") from failure
    name, colon, password = text.partition(":")
    if not colon:
        raise MalformedError("no colon between name and password")
    return login_of(name, password)


def login_of(name: str, password: str) -> Login:
    """Returns a name and a password in the form in which they are compared and hashed.

    Raises:
        MalformedError: One of them can't be shown in this scheme, or is too long.
    """
    name, password = in_normal_form(name), in_normal_form(password)
    _check("name", name, LONGEST_NAME)
    _check("password", password, LONGEST_PASSWORD)
    return Login(name, password)


def _check(which: str, text: str, longest: int) -> None:
    if not text:
        raise MalformedError(f"the {which} is empty")
    if len(text) > longest:
        raise MalformedError(f"the {which} is longer than {longest} characters")
    # What is printable has none, and that takes no look at each character from here.
    if not text.isprintable() and any(unicodedata.category(char) == "Cc" for char in text):
        raise MalformedError(f"the {which} has a control character")


def in_normal_form(text: str) -> str:
    """Returns a name or a password in the one form in which it is compared and hashed."""
    return unicodedata.normalize("NFC", text)
