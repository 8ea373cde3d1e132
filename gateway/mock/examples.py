"""Examples in comments: what the author of a proto says that a field looks like.

After `Example:`, `Examples:`, `e.g.`, `for example` or `such as` stands a value in backticks or in
double quotes, or several with commas, `and` or `or` between them. After `Example:` and `Examples:`
it may stand without either, to the end of its line. Nothing else in a comment is an example.
"""

from __future__ import annotations

import re
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from gateway.mock.typed import owner_of
from gateway.schema.declared_at import path_of
from gateway.schema.registry import Registry
from gateway.schema.source_info import Path, locations

_QUOTED: Final = r'(?:`[^`\n]{1,200}`|"[^"\n]{1,200}")'
_LISTED: Final = re.compile(
    rf"(?:\bexamples?:|\be\.g\.,?|\bfor example,?|\bsuch as)\s+"
    rf"({_QUOTED}(?:(?:,\s*(?:and|or)?|\s+(?:and|or))\s*{_QUOTED})*)",
    re.IGNORECASE,
)
_BARE: Final = re.compile(
    r'^\s*examples?:[ \t]+([^`"\s][^\n]{0,199})$', re.IGNORECASE | re.MULTILINE
)
_EACH: Final = re.compile(_QUOTED)
_MESSAGES, _FIELDS = 4, 2  # field numbers in descriptor.proto


def examples_in(comment: str) -> tuple[str, ...]:
    """Returns the examples in a comment, in order."""
    found = [
        quoted[1:-1] for listed in _LISTED.findall(comment) for quoted in _EACH.findall(listed)
    ]
    return tuple(dict.fromkeys([*found, *(each.strip() for each in _BARE.findall(comment))]))


class Examples:
    """The examples in the comments of a registry's fields; each file is read once.

    Args:
        registry: Has the comments, where there are any.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._comments: dict[str, dict[Path, str]] = {}
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, field: FieldDescriptor) -> tuple[str, ...]:
        """Returns the examples in a field's comment."""
        known = self._known.get(field.full_name)
        if known is None:
            owner = owner_of(field)
            comments = self._of_file(owner.file.name)
            path = (*path_of(owner), _FIELDS, field.index) if comments else ()
            known = self._known[field.full_name] = examples_in(comments.get(path, ""))
        return known

    def _of_file(self, name: str) -> dict[Path, str]:
        found = self._comments.get(name)
        if found is None:
            found = self._comments[name] = self._read(name)
        return found

    def _read(self, name: str) -> dict[Path, str]:
        info = self._registry.source_info(name)
        if not info:
            return {}
        try:
            known = locations(info, _tells_of_a_field)
        except DecodeError:
            return {}  # damaged: the schema's loading has told of it
        return {path: location.comment for path, location in known.items() if location.comment}


def _tells_of_a_field(path: Path) -> bool:
    return len(path) >= 4 and path[0] == _MESSAGES and path[-2] == _FIELDS
