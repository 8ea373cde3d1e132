"""Files that providers of identity name: `keys` of API keys, `users` with passwords.

Not a part of the config: they change while the gateway runs, and commands write them. What a file
says is strict all the same, and told with its line. Hashes are treated as secrets: no error repeats
what stands in their place, for it may be the key or the password itself.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from gateway.config.instants import INSTANT
from gateway.config.leaf import Leaf, LeafError
from gateway.config.models.section import section
from gateway.config.scalars import NAME, Switch, Text

_MEMORY: Final = 1024**2  # KiB
_PASSES: Final = 100
_LANES: Final = 64
_ARGON2: Final = re.compile(
    r"\$argon2id\$v=19\$m=(?P<m>[1-9][0-9]{0,9}),t=(?P<t>[1-9][0-9]{0,9}),p=(?P<p>[1-9][0-9]{0,9})"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}"
)


class _HiddenText(Text):
    """A text that no error repeats."""

    secret = True


@dataclass(frozen=True, slots=True)
class Argon2(Leaf):
    """A password's hash by argon2id 1.3, in the form of its reference (PHC), within bounds."""

    secret = True

    def read(self, value: object, directory: Path) -> str:  # noqa: ARG002  the leaf's interface
        """See `Leaf.read`."""
        found = _ARGON2.fullmatch(value) if isinstance(value, str) else None
        if found is None or not isinstance(value, str):
            raise LeafError("an argon2id hash, $argon2id$v=19$m=…,t=…,p=…$…$…")
        memory, passes, lanes = (int(found[name]) for name in "mtp")
        if memory > _MEMORY or passes > _PASSES or lanes > _LANES or memory < 8 * lanes:
            raise LeafError(
                f"an argon2id hash of 8 to {_MEMORY} KiB a lane, {_PASSES} passes and {_LANES} "
                "lanes at most"
            )
        return value

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "pattern": f"^{_ARGON2.pattern}$"}


@dataclass(frozen=True, slots=True)
class UserName(Leaf):
    """A name by which a user logs in (RFC 7617 section 2): no colon, no control characters."""

    def read(self, value: object, directory: Path) -> str:  # noqa: ARG002  the leaf's interface
        """See `Leaf.read`."""
        if (
            not isinstance(value, str)
            or not 1 <= len(value) <= 128
            or not value.isprintable()
            or value.strip() != value
            or ":" in value
            or not unicodedata.is_normalized("NFC", value)
        ):
            raise LeafError("a user's name of 1 to 128 printable characters (NFC) without a colon")
        return str(value)

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "pattern": "^[^:]{1,128}$"}


KEY_ID = Text("an id of letters, digits and -", r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")
SHA256 = _HiddenText("sha256: and 64 hexadecimal digits", r"^sha256:[0-9a-f]{64}$")
SUBJECT = Text(
    "a subject of up to 256 printable characters",
    r"^[^\u0000-\u0020\u007f-\u00a0]([^\u0000-\u001f\u007f-\u009f]{0,254}[^\u0000-\u0020\u007f-\u00a0])?$",
)
SCOPE = Text("a scope (RFC 6749 section 3.3)", r"^[!#-\[\]-~]{1,128}$")
ROLE = Text("a role of up to 128 printable ASCII characters", r"^[!-~]([ -~]{0,126}[!-~])?$")
USER_NAME = UserName()
LABEL = Text("a text on one line", r"^[^\u0000-\u001f\u007f]{1,200}$")
CLAIM = Text("a claim's name, but not key_id", r"^(?!key_id$)[!-~]{1,128}$")
_Claims = Mapping[Annotated[str, CLAIM], object]


@section
class StoredKey:
    """One API key, without the key."""

    hash: Annotated[str, SHA256] = Field(description="SHA-256 of the key.")
    owner: Annotated[str, SUBJECT] = Field(description="The subject of its calls.")
    name: Annotated[str, LABEL] | None = Field(default=None, description="What it is for.")
    scopes: tuple[Annotated[str, SCOPE], ...] = Field(default=(), description="What it may do.")
    roles: tuple[Annotated[str, ROLE], ...] = Field(default=(), description="What it is.")
    plan: Annotated[str, NAME] | None = Field(default=None, description="Whose numbers it has.")
    claims: _Claims = Field(default_factory=dict, description="What else is said of it.")
    created: Annotated[float, INSTANT] | None = Field(default=None, description="Since when.")
    expires: Annotated[float, INSTANT] | None = Field(default=None, description="Until when.")
    disabled: Annotated[bool, Switch()] = Field(default=False, description="Whether it is refused.")


@section
class StoredKeys:
    """A file of API keys."""

    keys: Mapping[Annotated[str, KEY_ID], StoredKey] = Field(
        default_factory=dict, description="The keys, by their ids."
    )


@section
class StoredUser:
    """One user, without the password."""

    hash: Annotated[str, Argon2()] = Field(description="The password's hash by argon2id.")
    scopes: tuple[Annotated[str, SCOPE], ...] = Field(default=(), description="What they may do.")
    roles: tuple[Annotated[str, ROLE], ...] = Field(default=(), description="What they are.")
    plan: Annotated[str, NAME] | None = Field(default=None, description="Whose numbers they have.")
    claims: _Claims = Field(default_factory=dict, description="What else is said of them.")
    disabled: Annotated[bool, Switch()] = Field(
        default=False, description="Whether they are refused."
    )


@section
class StoredUsers:
    """A file of users."""

    users: Mapping[Annotated[str, USER_NAME], StoredUser] = Field(
        default_factory=dict, description="The users, by their names."
    )
