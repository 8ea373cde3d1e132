"""Pydantic's errors in plain words: what was found, what was expected.

What came from the environment, and what stands at a secret's key, is named by its kind only; of a
URL, its secrets are left out.
"""

import difflib
import json
import re
from typing import Any

from pydantic_core import ErrorDetails

from gateway.config.leaf import REFUSED, REFUSED_SECRET, STATED
from gateway.config.problems import Path
from gateway.config.substitution import Substituted
from gateway.config.url_secrets import without_secrets

NAME_MARK = "[key]"  # ends the path of an error in a mapping's name, not its value
_MAX_SHOWN = 60
_QUOTED = re.compile(r"'([^']*)'")
_EXPECTED = {
    "dataclass_type": "a mapping (key: value)",
    "dict_type": "a mapping (name: value)",
    "mapping_type": "a mapping (name: value)",
    "tuple_type": "a list",
    "list_type": "a list",
}


def path_of(error: ErrorDetails) -> Path:
    """The path of the key at fault; pydantic's mark for a mapping's name is left out."""
    return tuple(part for part in error["loc"] if part != NAME_MARK)


def message_of(error: ErrorDetails) -> str:
    """The message of one problem, without its place."""
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    match kind:
        case "missing":
            return "a required key is missing"
        case "literal_error":
            return _not_a_choice(found, _QUOTED.findall(context["expected"]))
        case "too_short":
            return f"found an empty list, expected at least {context['min_length']} item"
    if kind == STATED:
        return str(context["text"])
    if kind == REFUSED_SECRET:
        return f"found {_kind(found)}, expected {context['text']}"
    expected = context["text"] if kind == REFUSED else _EXPECTED.get(kind, error["msg"])
    return f"found {describe(found)}, expected {expected}"


def _not_a_choice(found: object, choices: list[str]) -> str:
    message = f"found {describe(found)}, expected {' or '.join(choices)}"
    if isinstance(found, str) and not isinstance(found, Substituted):
        near = difflib.get_close_matches(found, choices, 1)
        message += f'; did you mean "{near[0]}"?' if near else ""
    return message


def describe(found: Any) -> str:
    """A value for people, short and on one line."""
    if isinstance(found, str) and not isinstance(found, Substituted):
        found = without_secrets(found, "***")
        shown = found if len(found) <= _MAX_SHOWN else found[: _MAX_SHOWN - 1] + "…"
        return json.dumps(shown, ensure_ascii=False)
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, int | float):
        return f"the number {found}"
    return _kind(found)


def _kind(found: object) -> str:
    match found:
        case Substituted():
            return "a text from the environment"
        case str():
            return "a text"
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case dict():
            return "a mapping"
        case _:
            return "a list"
