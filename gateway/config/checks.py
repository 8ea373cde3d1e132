"""What must agree between sections: names that refer, and things that may be given only once.

Checked on the tree, so that a mistake elsewhere does not put these off, and both places are known.
Values of the wrong type are passed over; pydantic reports them.
"""

from collections.abc import Callable, Iterator
from typing import Final

from gateway.config.admin_checks import check_admin
from gateway.config.affinity_checks import check_affinity
from gateway.config.balancing_checks import check_balancing
from gateway.config.host_checks import check_hosts
from gateway.config.identity_checks import check_identity
from gateway.config.limit_checks import check_limits
from gateway.config.listener_checks import check_listener
from gateway.config.naming import meant
from gateway.config.problems import Path, Problem, format_path
from gateway.config.resilience_checks import check_resilience
from gateway.config.shaping_checks import check_shaping
from gateway.config.transport_checks import check_transports
from gateway.config.tree import Node, select
from gateway.config.units import UnitError, parse_address

Found = Iterator[tuple[Path, Node]]

_ASKED: Final = ("auth", "providers", "*", "ext_authz", "upstream")
_GIVEN_CALLS: Final = (
    _ASKED,
    ("policies", "*", "route", "*", "upstream"),
    ("policies", "*", "split", "*", "upstream"),
    ("policies", "*", "mirror", "upstream"),
)
_UPSTREAM_NAMES: Final = (("schema", "reflection", "*"), *_GIVEN_CALLS)


def check(root: Node) -> Iterator[Problem]:
    """Every disagreement in the tree."""
    yield from _once(select(root, "upstreams", "*", "services", "*"), _text)
    yield from _once(select(root, "websocket", "subprotocols", "*"), _text)
    yield from _once(select(root, "listener", "compression", "*"), _text)
    yield from _once(_listening(root), _bound)
    for path, _ in select(root, "upstreams", "*"):
        yield from _once(_endpoints(root, str(path[1])), _bound)
    for section in (("policies", "*"), ("pages",)):
        for path, node in select(root, *section, "authenticate"):
            yield from _once((((*path, name), item) for name, item in node.items()), _text)
    for path, node in select(root, "policies", "*", "rate_limits"):
        named = ((path + at, name) for at, name in select(node, "*", "name"))
        yield from _once(named, _text)
    for path, node in select(root, "policies", "*", "rate_limits", "*", "key"):
        yield from _once((((*path, at), part) for at, part in node.items()), _key)
    yield from _unknown_upstreams(root)
    yield from _idle_upstreams(root)
    yield from check_admin(root)
    yield from check_hosts(root)
    yield from check_identity(root)
    yield from check_listener(root)
    yield from check_limits(root)
    yield from check_affinity(root)
    yield from check_balancing(root)
    yield from check_resilience(root)
    yield from check_transports(root)
    yield from check_shaping(root)


def _listening(root: Node) -> Found:
    yield from select(root, "listener", "address")
    yield from select(root, "listener", "address", "*")
    yield from select(root, "admin", "address")


def _endpoints(root: Node, upstream: str) -> Found:
    yield from select(root, "upstreams", upstream, "endpoints", "*")
    yield from select(root, "upstreams", upstream, "endpoints", "*", "address")


def _text(node: Node) -> str | None:
    return node.value if isinstance(node.value, str) else None


def _key(node: Node) -> str | None:
    """A part of a limit's key in its one form: names of headers have no case."""
    text = _text(node)
    return text.lower() if text is not None and text.startswith("header:") else text


def _bound(node: Node) -> str | None:
    """The address in its one form; None for what is none, and for port 0, which is never taken."""
    try:
        address = parse_address(node.value if isinstance(node.value, str) else "")
    except UnitError:
        return None
    return None if getattr(address, "port", None) == 0 else str(address)


def _once(found: Found, read: Callable[[Node], str | None]) -> Iterator[Problem]:
    first: dict[str, tuple[Path, Node]] = {}
    for path, node in found:
        text = read(node)
        if text is None:
            continue
        if text in first:
            other, place = first[text]
            message = f"given twice; first at {format_path(other)} ({place.place})"
            yield Problem.at(node.place, path, message)
        else:
            first[text] = path, node


def _unknown_upstreams(root: Node) -> Iterator[Problem]:
    names = [str(path[-1]) for path, _ in select(root, "upstreams", "*")]
    for pattern in _UPSTREAM_NAMES:
        for path, node in select(root, *pattern):
            name = node.value
            if isinstance(name, str) and name not in names:
                known = meant(name, names) if names else "there are no upstreams"
                yield Problem.at(node.place, path, f"no upstream has this name; {known}")


def _idle_upstreams(root: Node) -> Iterator[Problem]:
    """Yields upstreams that no call would go to: without services, and named nowhere else."""
    asked = [node.value for pattern in _GIVEN_CALLS for _, node in select(root, *pattern)]
    for path, node in select(root, "upstreams", "*"):
        given = node.value
        if isinstance(given, dict) and "services" not in given and path[1] not in asked:
            yield Problem.at(node.key, (*path, "services"), "a required key is missing")
