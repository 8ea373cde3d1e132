"""What a list of networks lets in that another does not, whatever way they are written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import NamedTuple


class _Range(NamedTuple):
    """Addresses of one version of IP, from the first to the last."""

    version: int
    first: int
    last: int


def more(before: Iterable[str], after: Iterable[str]) -> bool:
    """Whether there is an address in `after` that is not in `before`.

    Args:
        before: Networks, or addresses: `10.0.0.0/8`.
        after: The same.
    """
    were = list(_joined(before))
    return any(not any(_is_in(each, one) for one in were) for each in _ranges(after))


def _ranges(networks: Iterable[str]) -> Iterator[_Range]:
    for each in map(ip_network, networks):
        yield _Range(each.version, int(each[0]), int(each[-1]))


def _joined(networks: Iterable[str]) -> Iterator[_Range]:
    """Yields ranges that neither overlap nor touch: what lies in several lies in one of them."""
    whole: _Range | None = None
    for each in sorted(_ranges(networks)):
        if whole and each.version == whole.version and each.first <= whole.last + 1:
            whole = whole._replace(last=max(whole.last, each.last))
            continue
        if whole:
            yield whole
        whole = each
    if whole:
        yield whole


def _is_in(one: _Range, other: _Range) -> bool:
    return one.version == other.version and other.first <= one.first and one.last <= other.last
