"""Changes one entry of a file of entries as text: comments, order and spelling of the rest stay.

A file of entries is a mapping under one key, `keys:` or `users:`, in YAML (or JSON, which is YAML).
Where an entry stands is asked of the YAML parser; only that piece of the text is touched. As texts
can be written in more ways than are thought of here, what comes out is read again: if it does not
say exactly what was meant, it is an error, and a person has to make the change.
"""

import json
import re
from collections.abc import Callable, Mapping

from yaml.nodes import MappingNode, ScalarNode, SequenceNode
from yaml.nodes import Node as YamlNode

from gateway.config.document import Builder, DocumentError, compose
from gateway.config.tree import plain

_Entries = dict[str, dict[str, object]]

_INDENT = "  "
_FEED = "\n"
_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./:+-]*[A-Za-z0-9_/+-]|[A-Za-z0-9_/]")
_OTHERWISE_BOOLEAN = {"y", "n", "yes", "no", "on", "off"}  # to readers of YAML 1.1


class EditError(ValueError):
    """The text is written in a way in which this can't be changed. Its message says what to do."""


def add(text: str, section: str, name: str, entry: Mapping[str, object]) -> str:
    """Returns the text with one more entry, behind the others.

    Args:
        text: The file.
        section: The key of all entries.
        name: That of the new one; there is none of this name.
        entry: Texts, truth values, lists of texts, mappings.

    Raises:
        EditError: It can't be done.
    """

    def change(root: YamlNode | None) -> str:
        found = _value(root, section)
        if isinstance(found, MappingNode) and found.value and not found.flow_style:
            first, last = found.value[0][0], found.value[-1][1]
            block = _block(name, entry, " " * first.start_mark.column)
            return _insert_line(text, _end(text, last), block)
        block = _block(name, entry, _INDENT)
        if isinstance(found, MappingNode) and (found.value or _is_flow(root)):
            return _insert_flow(text, found, name, entry)
        if found is None and isinstance(root, MappingNode) and _is_flow(root) and root.value:
            return _insert_flow(text, root, section, {name: entry})
        if found is None:
            kept = text
            if isinstance(root, MappingNode) and not root.value:  # `{}` says what nothing says
                kept = text[: root.start_mark.index] + text[root.end_mark.index :].lstrip("\n")
            return _insert_line(kept, len(kept), f"{section}:\n{block}")
        # Nothing stands behind the key, or `{}`: the entries' lines take its place.
        before, after = text[: found.start_mark.index], text[found.end_mark.index :]
        return f"{before.rstrip(' ')}\n{block}{after.removeprefix(_FEED)}"

    return _edited(text, section, change, lambda old: {**old, name: dict(entry)})


def remove(text: str, section: str, name: str) -> str:
    """Returns the text without an entry that is there.

    Raises:
        EditError: It can't be done.
    """

    def change(root: YamlNode | None) -> str:
        found = _value(root, section)
        if not isinstance(found, MappingNode):
            return text
        number = [str(key.value) for key, _ in found.value].index(name)
        key, value = found.value[number]
        if found.flow_style:
            return _without_flow(text, found, number)
        start, end = _line_start(text, key.start_mark.index), _end(text, value)
        if len(found.value) > 1:
            return text[:start] + text[end:]
        colon = text.index(":", _key(root, section).end_mark.index) + 1
        return f"{text[:colon]} {{}}{text[colon:start]}{text[end:]}"

    return _edited(
        text, section, change, lambda old: {key: each for key, each in old.items() if key != name}
    )


def put(text: str, section: str, name: str, key: str, value: str | bool) -> str:  # noqa: FBT001  the value of a key
    """Returns the text with one key of an entry that is there set to a value.

    Args:
        text: The file.
        section: The key of all entries.
        name: That of the entry.
        key: That within it, whether it is there or not.
        value: A text or a truth value.

    Raises:
        EditError: It can't be done.
    """

    def change(root: YamlNode | None) -> str:
        entry = _value(_value(root, section), name)
        if not isinstance(entry, MappingNode) or not entry.value:
            return text
        if (old := _value(entry, key)) is not None:
            return f"{text[: old.start_mark.index]}{_flow(value)}{text[old.end_mark.index :]}"
        if entry.flow_style:
            at = entry.start_mark.index + 1
            return f"{text[:at]}{json.dumps(key)}: {json.dumps(value)}, {text[at:]}"
        first = entry.value[0][0].start_mark
        line = f"{key}: {_flow(value)}\n"
        return f"{text[: first.index]}{line}{' ' * first.column}{text[first.index :]}"

    return _edited(text, section, change, lambda old: {**old, name: {**old[name], key: value}})


def _edited(
    text: str,
    section: str,
    change: Callable[[YamlNode | None], str],
    meant: Callable[[_Entries], _Entries],
) -> str:
    """Returns the text as changed, having looked whether it says what was meant."""
    try:
        root = compose(text)
        after = change(root)
        before, now = _read(text, section), _read(after, section)
    except (DocumentError, ValueError, IndexError) as failure:
        raise EditError(_BY_HAND) from failure
    if now != {**before, section: meant(before[section])}:
        raise EditError(_BY_HAND)
    return after


_BY_HAND = "it is written in a way that this command can't change; change it by hand"


def _read(text: str, section: str) -> dict[str, _Entries]:
    """Returns what a text says; no entries where it has no such section.

    Raises:
        ValueError: It is no file of entries, or has mistakes.
    """
    builder = Builder("", {})
    found = plain(builder.build(compose(text)))
    if builder.problems:
        raise ValueError("a file with mistakes")
    whole = {} if found is None else found
    if not isinstance(whole, dict):
        raise ValueError("no mapping")  # noqa: TRY004  it is the file's mistake
    entries = {} if whole.get(section) is None else whole[section]
    if not isinstance(entries, dict) or not all(
        isinstance(each, dict) for each in entries.values()
    ):
        raise ValueError("no mapping of mappings")
    return {**whole, section: entries}


def _pairs(node: YamlNode | None) -> list[tuple[YamlNode, YamlNode]]:
    return list(node.value) if isinstance(node, MappingNode) else []


def _value(node: YamlNode | None, name: str) -> YamlNode | None:
    return next((value for key, value in _pairs(node) if key.value == name), None)


def _key(node: YamlNode | None, name: str) -> YamlNode:
    return next(key for key, _ in _pairs(node) if key.value == name)


def _is_flow(node: YamlNode | None) -> bool:
    return isinstance(node, MappingNode) and bool(node.flow_style)


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _end(text: str, node: YamlNode) -> int:
    """Returns where the last line of a node ends: the index behind its line feed."""
    if isinstance(node, MappingNode | SequenceNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    index: int = node.end_mark.index
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        return index  # its end is that of its last line already
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _insert_line(text: str, index: int, block: str) -> str:
    """Returns the text with lines put in where a line begins, or at an end without a line feed."""
    feed = "" if not index or text[index - 1] == "\n" else "\n"
    return f"{text[:index]}{feed}{block}{text[index:]}"


def _insert_flow(text: str, node: YamlNode, name: str, value: Mapping[str, object]) -> str:
    at = node.end_mark.index - 1
    comma = ", " if node.value else ""
    pair = f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
    before = text[:at].rstrip()
    return f"{before.removesuffix(',')}{comma}{pair}{text[len(before) : at]}{text[at:]}"


def _without_flow(text: str, node: MappingNode, number: int) -> str:
    key, value = node.value[number]
    start, end = key.start_mark.index, value.end_mark.index
    if number + 1 < len(node.value):
        return text[:start] + text[node.value[number + 1][0].start_mark.index :]
    if number:
        start = node.value[number - 1][1].end_mark.index
    return text[:start] + text[end:]


def _block(name: str, entry: Mapping[str, object], indent: str) -> str:
    lines = [f"{indent}{_scalar(name)}:"]
    lines += [f"{indent}{_INDENT}{key}: {_flow(value)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def _flow(value: object) -> str:
    match value:
        case str():
            return _scalar(value)
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case dict():
            return (
                f"{{{', '.join(f'{_scalar(key)}: {_flow(each)}' for key, each in value.items())}}}"
            )
        case _:
            return json.dumps(value)


def _scalar(text: str) -> str:
    """Returns a text as YAML, quoted where it could be taken for something else."""
    node = compose(text) if _PLAIN.fullmatch(text) else None
    if node is None or not node.tag.endswith(":str") or text.lower() in _OTHERWISE_BOOLEAN:
        return json.dumps(text, ensure_ascii=False)
    return text
