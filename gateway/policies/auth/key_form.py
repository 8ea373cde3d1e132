"""The form of API keys: random, and made to be recognised.

`gw_` + id + `_` + 43 digits that hold 256 random bits + 6 digits of a checksum, the digits being
0-9A-Za-z. The prefix is for people and for programs that look for secrets in what is published
(`gw_[a-z0-9]{8}_[0-9A-Za-z]{49}` finds them), the checksum (CRC-32 of all before it) tells a key
from what only looks like one without asking the gateway, and no character ends the word when it is
double-clicked. The id is no secret: it says in a list which key it is.

Only SHA-256 of the whole key is stored. That is enough for 256 random bits, which nobody can guess
from a hash however fast it is; a password would need a slow one.
"""

from __future__ import annotations

import re
import secrets
import string
from binascii import crc32
from hashlib import sha256
from typing import Final, NamedTuple

PREFIX: Final = "gw_"
LONGEST: Final = 512
"""Characters of what is looked at as a key: one that was made elsewhere may be longer than ours."""

_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_FIRST: Final = "abcdefghjkmnpqrstuvwxyz"  # none that is taken for another, none like a number
_ID_REST: Final = _ID_FIRST + "23456789"
_SECRET: Final = 43  # digits of base 62 that hold 256 bits
_SUM: Final = 6  # those that hold 32
_ID: Final = re.compile("[a-z0-9]{8}")
_BEGIN: Final = re.compile(rf"{PREFIX}([a-z0-9]{{8}})(_[0-9A-Za-z]*)?")
_FORM: Final = re.compile(rf"{PREFIX}[a-z0-9]{{8}}_[0-9A-Za-z]{{{_SECRET + _SUM}}}")


class NewKey(NamedTuple):
    """A key that was made just now."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.id})"


def new_key() -> NewKey:
    """Makes a key of 256 random bits."""
    name = secrets.choice(_ID_FIRST) + "".join(secrets.choice(_ID_REST) for _ in range(7))
    body = f"{PREFIX}{name}_{_in_digits(secrets.randbits(256), _SECRET)}"
    return NewKey(name, body + _checksum(body))


def digest_of(key: str) -> bytes:
    """Returns the SHA-256 of a key in ASCII: 32 bytes."""
    return sha256(key.encode("ascii")).digest()


def is_whole(key: str) -> bool:
    """Whether a text has the form of our keys and its checksum."""
    return bool(_FORM.fullmatch(key)) and _checksum(key[:-_SUM]) == key[-_SUM:]


def id_in(text: str) -> str | None:
    """Returns the id in one of our keys, whole or cut off behind it; None in another text."""
    found = _BEGIN.fullmatch(text)
    return None if found is None else found[1]


def is_our_id(text: str) -> bool:
    """Whether a text has the form of the ids in our keys, and so is too short to be a key."""
    return bool(_ID.fullmatch(text))


def _checksum(body: str) -> str:
    return _in_digits(crc32(body.encode("ascii")), _SUM)


def _in_digits(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
