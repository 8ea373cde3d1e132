"""The file as a tree that knows where each value was written.

Reading makes it, overrides change copies of it, and everything that reports an error looks in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.config.problems import Path, Place

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands.

    Attributes:
        value: A scalar, or the children.
        place: Of the value itself.
        key: Of the key that holds it; of the value where there is none (list items, the root).
    """

    value: "Scalar | dict[str, Node] | list[Node]" = field(repr=False)  # it may be a secret
    place: Place
    key: Place

    def child(self, part: str | int) -> "Node | None":
        """The child of this name or index; None where there is none."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and str(part).isdecimal() and int(part) < len(self.value):
            return self.value[int(part)]
        return None

    def items(self) -> "Iterator[tuple[str | int, Node]]":
        """The children with their names or indexes; nothing for a scalar."""
        if isinstance(self.value, dict):
            yield from self.value.items()
        elif isinstance(self.value, list):
            yield from enumerate(self.value)


def plain(node: Node) -> object:
    """The value without places, as dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {name: plain(child) for name, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def find(root: Node, path: Path) -> tuple[Path, Node]:
    """The node at `path`, or its nearest ancestor, with the path of what was found."""
    node = root
    for depth, part in enumerate(path):
        child = node.child(part)
        if child is None:
            return path[:depth], node
        node = child
    return path, node


def select(root: Node, *pattern: str) -> Iterator[tuple[Path, Node]]:
    """All nodes at a path in which `*` stands for any name or index; in order."""
    found: list[tuple[Path, Node]] = [((), root)]
    for part in pattern:
        found = [
            ((*path, name), child)
            for path, node in found
            for name, child in node.items()
            if part in ("*", name)
        ]
    yield from found
