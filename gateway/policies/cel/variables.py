"""What conditions can read of a call, by name and type.

The parts of `principal` and `peer` are variables of their own (CEL's names may have dots), so a
name that is not among them is an error at start-up, and only what is read is built. Nobody is null:
an anonymous caller has empty texts and lists. `claims`, `metadata` and `request` are read by
`condition`, which knows what of them is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from gateway.call import Call, Principal
from gateway.head import Certificate

Read: TypeAlias = "Callable[[Call], object]"

CLAIMS: Final = "claims"
METADATA: Final = "metadata"
REQUEST: Final = "request"

TEXT: Final = "string"
TEXTS: Final = "list<string>"


class Variable(NamedTuple):
    """A variable: its type in CEL, and how it is read."""

    type: str
    read: Read


def _of_principal(field: str) -> Read:
    get: Callable[[Principal], object] = attrgetter(field)

    def text(call: Call) -> object:
        return "" if call.principal is None else get(call.principal) or ""

    return text


def _list_of_principal(field: str) -> Read:
    get: Callable[[Principal], frozenset[str]] = attrgetter(field)

    def texts(call: Call) -> object:
        return [] if call.principal is None else list(get(call.principal))

    return texts


def _of_certificate(field: str) -> Read:
    get: Callable[[Certificate], str] = attrgetter(field)

    def text(call: Call) -> object:
        certificate = None if call.head is None else call.head.certificate
        return "" if certificate is None else get(certificate)

    return text


def _list_of_certificate(field: str) -> Read:
    get: Callable[[Certificate], tuple[str, ...]] = attrgetter(field)

    def texts(call: Call) -> object:
        certificate = None if call.head is None else call.head.certificate
        return [] if certificate is None else list(get(certificate))

    return texts


VARIABLES: Final[Mapping[str, Variable]] = {
    "method": Variable(TEXT, attrgetter("method")),
    "principal.subject": Variable(TEXT, _of_principal("subject")),
    "principal.provider": Variable(TEXT, _of_principal("provider")),
    "principal.plan": Variable(TEXT, _of_principal("plan")),
    "principal.scopes": Variable(TEXTS, _list_of_principal("scopes")),
    "principal.roles": Variable(TEXTS, _list_of_principal("roles")),
    "peer.address": Variable(TEXT, attrgetter("peer")),
    "peer.certificate.subject": Variable(TEXT, _of_certificate("subject")),
    "peer.certificate.fingerprint": Variable(TEXT, _of_certificate("fingerprint")),
    "peer.certificate.uris": Variable(TEXTS, _list_of_certificate("uris")),
    "peer.certificate.dns": Variable(TEXTS, _list_of_certificate("dns")),
    "peer.certificate.emails": Variable(TEXTS, _list_of_certificate("emails")),
}
"""Those that are read alike, whatever the condition."""

NAMES: Final = (*VARIABLES, CLAIMS, METADATA, REQUEST)
"""All of them."""
