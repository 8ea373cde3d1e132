"""What `listener` says of pages of other origins, and can't have (WHATWG Fetch, CORS protocol).

Checked on the tree, as `checks` does.
"""

from collections.abc import Iterator
from typing import Final

from gateway.config.problems import Problem
from gateway.config.tree import Node, select

_CORS: Final = ("listener", "cors")
_ALL: Final = "*"


def check_listener(root: Node) -> Iterator[Problem]:
    """Pages of all sites that could act as their users."""
    credentials = [node for _, node in select(root, *_CORS, "credentials")]
    if not any(node.value is True or node.value == "true" for node in credentials):
        return
    for path, node in select(root, *_CORS, "origins", "*"):
        if node.value == _ALL:
            message = "goes with credentials: false only; name the origins that may act as the user"
            yield Problem.at(node.place, path, message)
