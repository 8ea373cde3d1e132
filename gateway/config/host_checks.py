"""What hosts must not say together: two names that are one.

Case does not count, and an address of IPv6 may be written in several ways.

Checked on the tree, as `checks` does.
"""

from collections.abc import Iterator

from gateway.config.problems import Path, Problem, format_path
from gateway.config.tree import Node, select
from gateway.config.units import UnitError, parse_host


def check_hosts(root: Node) -> Iterator[Problem]:
    """Every name of a host that is another's in the tree."""
    first: dict[str, tuple[Path, Node]] = {}
    for path, node in select(root, "hosts", "*"):
        other, before = first.setdefault(_one_form(str(path[-1])), (path, node))
        if before is not node:
            message = f"given twice; first at {format_path(other)} ({before.key})"
            yield Problem.at(node.key, path, message)


def _one_form(name: str) -> str:
    try:
        return parse_host(name)
    except UnitError:  # which is told where it is read
        return name
