"""What must not be said together of who goes where: one of two would be without effect, or undone.

Checked on the tree, as `checks` does. Whether requests have the fields that are named is told once
the methods are known (`gateway.app.affinity`).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from gateway.config import units
from gateway.config.problems import Path, Problem, format_path
from gateway.config.tree import Node, select

_HASHING: Final = ("ring_hash", "maglev")
_COOKIES: Final = ("upstreams", "*", "affinity", "cookie")
_DEFAULT: Final = "1h"  # affinity.ttl
_SECURE: Final = ("__host-", "__secure-")
"""Names by which browsers keep a cookie only if it has `Secure` (RFC 6265bis, section 4.1.3)."""

_TOKENS: Final = tuple(
    ("auth", "providers", "*", each, "cookie") for each in ("jwt", "introspection")
)


def check_affinity(root: Node) -> Iterator[Problem]:
    """Every contradiction of an upstream in the tree."""
    for path, node in select(root, "upstreams", "*"):
        given = node.value
        if isinstance(given, dict):
            yield from _hashing(given, path)
    yield from _taken_cookies(root)
    yield from _lasting_otherwise(root)
    yield from _insecure(root)


def _taken_cookies(root: Node) -> Iterator[Problem]:
    """Yields cookies for ids in which clients keep their tokens: an id would take its place."""
    tokens = {
        node.value: format_path(path)
        for at in _TOKENS
        for path, node in select(root, *at)
        if isinstance(node.value, str)
    }
    for path, node in select(root, *_COOKIES):
        if isinstance(node.value, str) and node.value in tokens:
            message = f"clients keep their tokens in it ({tokens[node.value]}); expected another"
            yield Problem.at(node.place, path, message)


def _lasting_otherwise(root: Node) -> Iterator[Problem]:
    """Yields a cookie that another upstream gives for another time: a client has one of a name."""
    first: dict[str, tuple[Path, float, str]] = {}
    for path, node in select(root, "upstreams", "*", "affinity"):
        cookie, ttl = node.child("cookie"), node.child("ttl")
        if cookie is None or not isinstance(cookie.value, str):
            continue
        text = _DEFAULT if ttl is None else ttl.value
        try:
            seconds = units.parse_duration(text if isinstance(text, str) else "")
        except units.UnitError:
            continue
        other, lasting, said = first.setdefault(cookie.value, (path, seconds, str(text)))
        if seconds != lasting:
            place = cookie.place if ttl is None else ttl.place
            message = (
                f"the cookie {cookie.value} is kept for {said} by {format_path(other)}; expected "
                "the same time, or another cookie"
            )
            yield Problem.at(place, (*path, "ttl"), message)


def _insecure(root: Node) -> Iterator[Problem]:
    """Yields cookies that no browser keeps, since no client comes by https."""
    for key in ("tls", "trusted_proxies"):
        # {} is TLS that lacks something, which is told elsewhere; no proxies are none.
        for _, node in select(root, "listener", key):
            if node.value or (key == "tls" and node.value is not None):
                return
    for path, node in select(root, *_COOKIES):
        if isinstance(node.value, str) and node.value.lower().startswith(_SECURE):
            message = (
                "browsers keep a cookie of such a name only by https; expected another name, "
                "listener.tls, or listener.trusted_proxies that tell of it"
            )
            yield Problem.at(node.place, path, message)


def _hashing(given: Mapping[str, Node], path: Path) -> Iterator[Problem]:
    balancing = given["balancing"].value if "balancing" in given else {}
    if not isinstance(balancing, dict):
        return
    policy, hash_on, affinity = (
        balancing.get("policy"),
        balancing.get("hash_on"),
        "affinity" in given,
    )
    hashes = policy is not None and policy.value in _HASHING
    if hash_on is not None and affinity:
        message = "affinity says already who goes where; remove one of them"
        yield Problem.at(hash_on.key, (*path, "balancing", "hash_on"), message)
    elif hash_on is not None and not hashes:
        message = f"only {' and '.join(_HASHING)} hash; another policy keeps clients by affinity"
        yield Problem.at(hash_on.key, (*path, "balancing", "hash_on"), message)
    elif policy is not None and hashes and hash_on is None and not affinity:
        message = f"{policy.value} needs hash_on; without it every call would go by chance"
        yield Problem.at(policy.place, (*path, "balancing", "policy"), message)
