"""`--set a.b=value`: one value of the tree replaced, as if the file had said so.

Values are YAML. The result is checked with everything else; only what keeps an override from being
applied is reported here.
"""

from collections.abc import Mapping
from dataclasses import replace

from gateway.config.document import Builder, DocumentError, compose
from gateway.config.problems import Path, Place, Problem, format_path, parse_path
from gateway.config.tree import Node


def apply(root: Node, override: str, environ: Mapping[str, str]) -> tuple[Node, list[Problem]]:
    """The tree with one override applied, or as it was, and what is wrong with the override.

    Args:
        root: Not changed.
        override: `path=value`. A list's item is named by its index; the next free index appends.
            No value is the empty text.
        environ: Where `${NAME}` is looked up.
    """
    name, equals, text = override.partition("=")
    place = Place(f"--set {name}=…" if equals else "--set")  # a value may be a secret
    try:
        path = parse_path(name)
    except ValueError:
        message = "expected path=value, such as listener.address=127.0.0.1:0"
        return root, [Problem.at(place, (), message)]
    if not equals:
        message = f"expected a value: {format_path(path)}=…"
        return root, [Problem.at(place, path, message)]
    builder = Builder(place.file, environ, lines=False)
    try:
        value = builder.build(compose(text), path) if text else Node("", place, place)
        if text and not text.strip():
            value = Node("", place, place)
        return _put(root, path, 0, value), builder.problems
    except DocumentError as error:
        return root, [Problem.at(place, path, str(error))]
    except _MisplacedError as error:
        return root, [Problem.at(place, error.path, str(error))]


class _MisplacedError(Exception):
    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def _put(node: Node, path: Path, depth: int, value: Node) -> Node:
    """`node` with `value` at `path[depth:]` below it."""
    if depth == len(path):
        return value
    part = str(path[depth])
    place = value.place
    empty: Node = Node([] if path[depth + 1 : depth + 2] == ("0",) else {}, place, place)
    if isinstance(node.value, dict):
        child = _put(node.value.get(part, empty), path, depth + 1, value)
        return replace(node, value={**node.value, part: child})
    if isinstance(node.value, list):
        size = len(node.value)
        index = int(part) if part.isascii() and part.isdecimal() and len(part) < 10 else size + 1
        if index > size:
            expected = f"an index from 0 to {size}; {size} appends" if size else "0, which appends"
            message = f"found {part}, expected {expected}"
            raise _MisplacedError(path[: depth + 1], message)
        child = _put(node.value[index] if index < size else empty, path, depth + 1, value)
        return replace(node, value=[*node.value[:index], child, *node.value[index + 1 :]])
    raise _MisplacedError(path[:depth], f"it is a single value and has no {part}")
