"""Which routes are worth showing to somebody who sees an API for the first time. Pure.

Three kinds: one that reads, one with a body, one that streams. What changes nothing is known by the
proto (`idempotency_level`) or by HTTP (GET); only that may be called to find out whether it works.
A name tells less: an RPC that is called List or Search (AIP-132, AIP-136) and has no annotation at
all may be asked with an empty request for what there is, and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.fronts.rest.compile import Listed
from gateway.routing.template import parse
from gateway.schema.method import Idempotency, Kind
from gateway.schema.registry import Registry

_READS = re.compile(
    r"(Get|List|BatchGet|Search|Find|Lookup|Query|Count|Describe)(?![a-z])", re.ASCII
)
_LISTS = re.compile(r"(List|Search)(?![a-z])", re.ASCII)
_DESTROYS = re.compile(
    r"(Delete|Remove|Purge|Drop|Clear|Reset|Cancel|Stop|Kill|Shutdown|BatchDelete)(?![a-z])",
    re.ASCII,
)
_RAW = "google.api.HttpBody"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Routes in the order in which they are worth trying.

    Attributes:
        lists: That need nothing and tell what there is: safe, or lists by their name alone;
            without path variables.
        reads: Unary; safe ones, and those that read by their name.
        writes: Unary, with a body.
        streams: Streaming.
    """

    lists: tuple[Listed, ...]
    reads: tuple[Listed, ...]
    writes: tuple[Listed, ...]
    streams: tuple[Listed, ...]


def choose(routes: Iterable[Listed], registry: Registry) -> Candidates:
    """Sorts routes; those of bytes that are no JSON, and destructive ones, are left out."""
    usable = [
        each for each in routes if not _is_raw(each, registry) and not _DESTROYS.match(_name(each))
    ]
    unary = [each for each in usable if each.method.kind is Kind.UNARY]
    reading = [each for each in unary if reads(each)]
    telling = [each for each in unary if is_safe(each) or is_bare_list(each)]
    return Candidates(
        lists=tuple(sorted((each for each in telling if not _variables(each)), key=_tells_most)),
        reads=tuple(sorted(reading, key=_reads_best)),
        writes=tuple(sorted((each for each in unary if each.rule.body), key=_writes_best)),
        streams=tuple(
            sorted(
                (each for each in usable if each.method.kind is not Kind.UNARY), key=_streams_best
            )
        ),
    )


def is_safe(listed: Listed) -> bool:
    """Whether calling a route's RPC changes nothing: its proto says so, or a rule of GET."""
    method = listed.method
    return method.idempotency is Idempotency.NO_SIDE_EFFECTS or any(
        rule.verb == "GET" for rule in method.rules
    )


def is_bare_list(listed: Listed) -> bool:
    """Whether nothing is said of a unary RPC but its name, and by that it lists what there is."""
    method = listed.method
    unsaid = not method.rules and method.idempotency is Idempotency.UNKNOWN
    return unsaid and method.kind is Kind.UNARY and lists_by_name(listed)


def lists_by_name(listed: Listed) -> bool:
    """Whether an RPC is called List or Search: what it needs, if anything, is required."""
    return _LISTS.match(_name(listed)) is not None


def reads(listed: Listed) -> bool:
    """Whether an RPC is about what there is already: it is safe, or reads by its name."""
    unknown = listed.method.idempotency is Idempotency.UNKNOWN
    return is_safe(listed) or (unknown and _READS.match(_name(listed)) is not None)


def _name(listed: Listed) -> str:
    return listed.method.name.rpartition("/")[2]


def _variables(listed: Listed) -> int:
    return len(parse(listed.template).variables)


def _is_raw(listed: Listed, registry: Registry) -> bool:
    reply, request = registry.message(listed.method.output), registry.message(listed.method.input)
    ends = [reply, request]
    for message, name in ((reply, listed.rule.response_body), (request, listed.rule.body)):
        if name not in ("", "*"):
            field = message.fields_by_name[name]
            ends += [field.message_type] if field.message_type is not None else []
    return any(end.full_name == _RAW for end in ends)


def _tells_most(listed: Listed) -> tuple[bool, bool, int]:
    return (
        listed.verb != "GET",
        not _name(listed).startswith(("List", "Search")),
        len(listed.template),
    )


def _reads_best(listed: Listed) -> tuple[bool, bool, int, int, str]:
    """One resource by one variable is the plainest REST there is."""
    return (
        listed.method.deprecated,
        listed.verb != "GET",
        (1, 0, 2)[min(_variables(listed), 2)],
        len(listed.template),
        listed.template,
    )


def _writes_best(listed: Listed) -> tuple[bool, bool, bool, int, int, str]:
    """What changes nothing comes first: it can be called before it is shown."""
    return (
        listed.method.deprecated,
        not is_safe(listed),
        not _name(listed).startswith("Create"),
        _variables(listed),
        len(listed.template),
        listed.template,
    )


def _streams_best(listed: Listed) -> tuple[bool, bool, int, bool, int, int, str]:
    kinds = (Kind.SERVER_STREAMING, Kind.BIDIRECTIONAL, Kind.CLIENT_STREAMING)
    return (
        listed.method.deprecated,
        not is_safe(listed),
        kinds.index(listed.method.kind),
        listed.verb != "GET",
        _variables(listed),
        len(listed.template),
        listed.template,
    )
