"""The compiler's errors in plain words: what is wrong with a condition, where, and what was meant.

What cel-cpp says of a text is in its parser's own words, with errors that only follow from others.
Here each becomes a sentence for whoever wrote the text, with its place in it. An error of a form
that is not known here passes as it is: nothing is lost.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor

from gateway.policies.cel.variables import NAMES

Find: TypeAlias = "Callable[[str], Descriptor]"
"""Returns a message type by its full name. Raises KeyError."""

_ERROR: Final = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_CODE: Final = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_UNDECLARED: Final = re.compile(r"undeclared reference to '(.*?)'")
_NO_FIELD: Final = re.compile(r"undefined field '(.*?)' not found in struct '(.*?)'")
_OVERLOAD: Final = re.compile(r"found no matching overload for '(.*?)' applied to '\((.*)\)'")
_NO_PARTS: Final = re.compile(r"expression of type '(.*?)' cannot be the operand of a select")
_MISSING: Final = re.compile(r"missing '(.)' at ")
_TOO_DEEP: Final = re.compile(r"recursion (?:limit|depth)")
_SYNTAX: Final = "Syntax error: "
_FOLLOWS: Final = "'*error*'"

_WORD: Final = re.compile(r"[A-Za-z_]\w*|.")
_LAST_WORD: Final = re.compile(r"[A-Za-z_]\w*\s*\Z")
_QUOTES: Final = "quotes are \" or '"
_WRITTEN: Final[Mapping[str, str]] = {
    "and": "and is written &&",
    "&": "and is written &&",
    "or": "or is written ||",
    "|": "or is written ||",
    "not": "not is written !, as in: !(a in b)",
    "=": "to compare is written ==",
    **dict.fromkeys("\u201c\u201d\u2018\u2019", _QUOTES),  # those of text processors
}
_FUNCTIONS: Final = (
    *("size", "has", "all", "exists", "exists_one", "contains", "startsWith", "endsWith"),
    *("matches", "timestamp", "duration", "int", "uint", "double", "string", "bytes", "bool"),
    *("type", "dyn", "getFullYear", "getMonth", "getDayOfMonth", "getDayOfWeek", "getHours"),
)
_ROOTS: Final = ", ".join(dict.fromkeys(name.partition(".")[0] for name in NAMES))
_MOST: Final = 3  # errors that are told
_MOST_FIELDS: Final = 12  # that are listed


class Mistake(NamedTuple):
    """What is wrong with a condition.

    Attributes:
        text: In one line.
        general: The same without what only one type of request can say; equal to `text` where it
            is not about a field that the request lacks.
        lacks_field: Whether it is.
    """

    text: str
    general: str
    lacks_field: bool = False


class _Told(NamedTuple):
    """One error: how far before or after the compiler's column it is, what it is, what to do."""

    what: str
    hint: str = ""
    shift: int = 0
    lacks_field: bool = False


class _Context(NamedTuple):
    """What is known of the text at an error: the line before it and from it on, and the types."""

    before: str
    after: str
    request_type: str
    find: Find


def mistake(raw: str, condition: str, request_type: str, find: Find) -> Mistake:
    """Returns the compiler's errors as a person would say them.

    Args:
        raw: The compiler's text.
        condition: What was compiled.
        request_type: The full name of the type of `request`.
        find: Finds message types.
    """
    if _TOO_DEEP.search(raw):
        return _plainly("the condition is nested too deep")
    lines = condition.split("\n")
    texts: dict[tuple[str, str], bool] = {}
    for number, at, what in _ERROR.findall(raw):
        line, column = int(number), int(at)
        if _FOLLOWS in what:
            continue
        here = lines[line - 1] if 0 < line <= len(lines) else ""
        context = _Context(here[: column - 1], here[column - 1 :], request_type, find)
        told = _told(what, context)
        within = f"line {line}, " if len(lines) > 1 else ""
        place = f"at {within}column {column + told.shift} of the condition: " if line > 0 else ""
        general = place + told.what
        text = f"{general}; {told.hint}" if told.hint else general
        texts[text, general if told.lacks_field else text] = told.lacks_field
        if what.startswith(_SYNTAX):
            break  # what comes after only follows from it
    if not texts:
        return _plainly(_CODE.sub("", raw.partition("\n")[0]))
    shown = list(texts)[:_MOST]
    return Mistake(
        "; ".join(text for text, _ in shown),
        "; ".join(general for _, general in shown),
        any(texts[each] for each in shown),
    )


def _plainly(text: str) -> Mistake:
    return Mistake(text, text)


def _told(what: str, context: _Context) -> _Told:
    if what.startswith(_SYNTAX):
        return _unreadable(what, context)
    if found := _UNDECLARED.search(what):
        return _unknown(found[1], context)
    if found := _NO_FIELD.search(what):
        return _no_field(found[1], found[2], context)
    if found := _OVERLOAD.search(what):
        return _no_overload(found[1].strip("@_"), found[2])
    if found := _NO_PARTS.search(what):
        return _no_part(found[1], context)
    return _Told(_CODE.sub("", what))


def _unreadable(what: str, context: _Context) -> _Told:
    at = _WORD.match(context.after)
    token = at[0] if at else ""
    before = _LAST_WORD.search(context.before)
    # The parser stumbles over what follows a `not`.
    if before and before[0].rstrip().lower() == "not":
        return _Told("not is no word here", _WRITTEN["not"], shift=-len(before[0]))
    if written := _WRITTEN.get(token.lower()):
        return _Told(f"{token} is no {'word' if token.isalpha() else 'sign'} here", written)
    if found := _MISSING.search(what):
        return _Told(f"a {found[1]} is missing")
    if not token:
        return _Told("the condition ends too early; something is missing here")
    if token in {'"', "'"} and "token recognition" in what:
        return _Told("the text that begins here does not end, or has an unknown escape")
    return _Told(f"{token if token.isprintable() else repr(token)} was not expected here")


def _unknown(name: str, context: _Context) -> _Told:
    """Returns what is said of a name that nothing has: of a function, a variable, a part of one."""
    is_call = context.after.startswith("(")
    whole = is_call or "." not in name
    back = len(name) if is_call else 0 if whole else len(name) - len(name.rpartition(".")[2]) - 1
    before = context.before.rstrip()
    blanks = len(context.before) - len(before)
    shift = -back - blanks if back and before.endswith(name[:back]) else 0
    if written := _WRITTEN.get(name.lower()):
        return _Told(f"{name} is no word here", written, shift)
    if is_call:
        near = _near(name.rpartition(".")[2], _FUNCTIONS)
        return _Told(f"there is no function {name}", near and f"did you mean {near}?", shift)
    if parts := [each for each in NAMES if each.startswith(f"{name}.")]:
        return _Told(f"{name} can't be read as a whole", f"it has {', '.join(parts)}", shift)
    what = f"nothing has the name {name}"
    root, _, part = name.partition(".")
    beside = {each.partition(".")[2]: each for each in NAMES if each.startswith(f"{root}.")}
    near = beside.get(_near(part, beside), "") if beside else _near(name, NAMES)
    if near:
        return _Told(what, f"did you mean {near}?", shift)
    return _Told(what, f"expected one of {', '.join(beside.values()) or _ROOTS}", shift)


def _no_field(name: str, type_: str, context: _Context) -> _Told:
    of_request = type_ == context.request_type
    what = f"{'the request' if of_request else type_} has no field {name}"
    shift = _dot(context)
    try:
        fields = context.find(type_).fields
    except KeyError:
        return _Told(what, shift=shift, lacks_field=of_request)
    # A request is often known by its JSON.
    near = next((each.name for each in fields if each.json_name == name), "")
    near = near or _near(name, [each.name for each in fields])
    hint = f"did you mean {near}?" if near else _listed(type_, [each.name for each in fields])
    return _Told(what, hint, shift, of_request)


def _no_part(type_: str, context: _Context) -> _Told:
    shift = _dot(context)
    if type_.startswith("type("):  # an enum, or a message's name
        name = _WORD.match(context.after[shift:])
        owner = context.before.split()[-1:] or [""]
        return _Told(f"{owner[0]} has no {name[0] if name else 'such part'}", shift=shift)
    return _Told(f"a {_spoken(type_)} has no parts", shift=shift)


def _listed(type_: str, fields: list[str]) -> str:
    if not fields:
        return f"{type_} has none"
    more = len(fields) - _MOST_FIELDS
    rest = f" and {more} more" if more > 0 else ""
    return f"{type_} has {', '.join(fields[:_MOST_FIELDS])}{rest}"


def _no_overload(name: str, arguments: str) -> _Told:
    types = _types(arguments)
    lists = [each for each in types if each.startswith("list(")]
    spoken = " and ".join(map(_spoken, types))
    hint = ""
    if name in {"==", "!="} and len(lists) == 1:
        in_ = '"a" in principal.roles'
        hint = f"use in, as in: {in_ if name == '==' else f'!({in_})'}"
    elif name in {"==", "!="} and "null_type" in types:
        hint = "it is never null; compare it with what it is when it is empty, or use has"
    elif name == "in" and types[-1:] == ["string"]:
        hint = 'in asks lists and maps; of a text use contains, as in: request.name.contains("a")'
    elif name == "contains" and lists:
        hint = 'of a list use in, as in: "a" in principal.roles'
    return _Told(f"{name} can't be used with {spoken}", hint)


def _types(arguments: str) -> list[str]:
    """Returns the types of `string, map(string, dyn)`."""
    types, depth = [""], 0
    for char in arguments:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            types.append("")
        else:
            types[-1] += char
    return [each.strip() for each in types]


def _spoken(type_: str) -> str:
    return "null" if type_ == "null_type" else type_


def _dot(context: _Context) -> int:
    """Returns how far it is to a name that follows a dot."""
    return 1 if context.after.startswith(".") else 0


def _near(name: str, known: Iterable[str]) -> str:
    """Returns what a name was meant to be; empty for anybody's guess. Case and _ don't matter."""
    names = {_folded(each): each for each in known}
    near = difflib.get_close_matches(_folded(name), names, 1)
    return names[near[0]] if near else ""


def _folded(name: str) -> str:
    return name.replace("_", "").lower()
