"""Compares two surfaces: everything that clients of the older one meet at the newer one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from gateway.app.compatibility.access import (
    access_changes,
    json_changes,
    listener_changes,
    timeout_changes,
)
from gateway.app.compatibility.change import Change, Changes, Effect
from gateway.app.compatibility.json_messages import JsonMessages
from gateway.app.compatibility.rest import Known, Rest
from gateway.app.compatibility.validated import Validated
from gateway.app.compatibility.websocket import Websocket
from gateway.app.compatibility.wire_messages import WireMessages
from gateway.app.surface.model import Site, Surface
from gateway.routing.hosts import HostTable

_FRONTS: Final = ("rest", "graphql", "websocket")
_ALL: Final = ""  # stands for every name, where a config has no hosts


def compare(old: Surface, new: Surface) -> list[Change]:
    """Returns what has changed: the worst first, then by what names each.

    Args:
        old: What clients know.
        new: What they meet.
    """
    found = Changes()
    found.add(listener_changes(old, new))
    found.add(json_changes(old, new))
    _methods(old, new, found)
    messages, wire = JsonMessages(old, new), WireMessages(old, new)
    for host, before in old.sites.items():
        name, now = _at(host, new)
        if now is None:
            message = "is not served any more"
            found.add([Change("hosts.removed", Effect.BREAKING, host, message)])
            continue
        if name != host and host == _ALL:
            message = f"any name was served; only {', '.join(new.sites)} are now"
            found.add([Change("hosts.limited", Effect.BREAKING, "hosts", message)])
        found.add(_off(host, before, now))
        if before.rest is not None and now.rest is not None:
            Rest(old, new, messages, found, partial(_label, host)).compare(before.rest, now.rest)
        if before.websocket is not None and now.websocket is not None:
            Websocket(old, new, messages, wire, found, host).compare(
                (before, before.websocket), (now, now.websocket)
            )
        if before.graphql is not None and now.graphql is not None:
            # Only who serves a graph pays for its import.
            from gateway.app.compatibility.graphql import graphql_changes  # noqa: PLC0415

            found.add(graphql_changes(host, before.graphql, now.graphql))
    return list(found)


def _methods(old: Surface, new: Surface, found: Changes) -> None:
    validated = Validated(old, new)
    for name, before in old.methods.items():
        now = new.methods.get(name)
        if now is not None:
            found.add(access_changes(name, before.access, now.access))
            found.add(timeout_changes(name, before, now))
            found.add(validated.changes(name, before, now), name)


def _at(host: str, new: Surface) -> tuple[str, Site | None]:
    """Returns what clients of a host meet now, and the name by which it is served."""
    if _ALL in new.sites:
        return _ALL, new.sites[_ALL]
    if host == _ALL:
        return next(iter(new.sites.items()))
    if host in new.sites:
        return host, new.sites[host]
    return host, HostTable(new.sites).find(host)


def _off(host: str, old: Site, new: Site) -> Iterator[Change]:
    for front in _FRONTS:
        if getattr(old, front) is not None and getattr(new, front) is None:
            subject = f"{front} at {host}" if host else front
            yield Change(f"{front}.off", Effect.BREAKING, subject, "is not served any more")


def _label(host: str, known: Known) -> str:
    return f"{known.route.verb} {host}{known.route.template}"
