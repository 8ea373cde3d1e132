"""Callers that are known by the certificate of their connection, which TLS has verified.

Who it is, is one of its names. Without a choice that is what Envoy and its kin take: a URI, else a
DNS name, else the distinguished name. A certificate with a SPIFFE id is held to what SPIFFE asks of
it (X509-SVID, sections 2 and 5.2): no other URI, and not an authority's. All that takes a look into
a table, so nothing here waits.

Which authorities are believed is the listener's to say. Nothing is asked about revocation: give out
certificates that end soon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

from gateway.call import Call, Principal
from gateway.head import Certificate, Head
from gateway.policies.auth.attached import IsOwnDoing, cross_site
from gateway.policies.auth.provider import BadCredentials

Subject: TypeAlias = Literal["auto", "uri", "dns", "email", "dn"]
"""Which of a certificate's names says who it is."""

_SPIFFE: Final = "spiffe://"
_MOST: Final = 4096  # certificates that are remembered, about 2 KiB each

_NAMES: Final[Mapping[str, Callable[[Certificate], tuple[str, ...]]]] = {
    "uri": lambda shown: shown.uris,
    "dns": lambda shown: shown.dns,
    "email": lambda shown: shown.emails,
    "dn": lambda shown: (shown.subject,),
    "auto": lambda shown: (*shown.uris, *shown.dns, shown.subject),
}


class Mtls:
    """Knows callers by their certificates (`provider.Provider`).

    Args:
        name: What the config calls it.
        subject: Which of a certificate's names says who it is; the first of several.
        now: Seconds since 1970.
        is_own_doing: Whether a request is its sender's. A browser shows the certificate with what
            any page asks.
    """

    scheme: Final = ""

    __slots__ = ("_is_own_doing", "_known", "_names", "_now", "name")

    def __init__(
        self, name: str, subject: Subject, now: Callable[[], float], is_own_doing: IsOwnDoing
    ) -> None:
        self.name = name
        self._names = _NAMES[subject]
        self._now = now
        self._is_own_doing = is_own_doing
        self._known: dict[str, Principal] = {}  # by fingerprint

    def carried(self, head: Head) -> bool:
        """Whether the client showed a certificate."""
        return head.certificate is not None

    def known(self, call: Call) -> Principal | None:
        """Returns whose certificate it is, if it is one that is accepted."""
        head = call.head
        if head is None or head.certificate is None or not self._is_own_doing(head):
            return None
        principal = self._known.get(head.certificate.fingerprint)
        if principal is None or _ended(principal.expires, self._now()):
            try:
                return self.identify(call)
            except BadCredentials:
                return None  # the gate will hear why
        return principal

    def identify(self, call: Call) -> Principal | None:
        """Returns whose certificate it is; None where none was shown.

        Raises:
            BadCredentials: It has ended since the connection began, or names nobody.
            RpcError: CROSS_SITE_REQUEST: another site may have asked.
        """
        head = call.head
        shown = None if head is None else head.certificate
        if head is None or shown is None:
            return None
        if not self._is_own_doing(head):
            raise cross_site("The certificate")
        if _ended(shown.expires, self._now()):
            text = "The client's certificate has ended."
            raise BadCredentials(text, "the certificate has ended", reason="TOKEN_EXPIRED")
        principal = Principal(
            subject=self._subject(shown),
            provider=self.name,
            claims=claims(shown),
            expires=shown.expires,
        )
        if len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[shown.fingerprint] = principal
        return principal

    def _subject(self, shown: Certificate) -> str:
        if any(uri.startswith(_SPIFFE) for uri in shown.uris):
            if len(shown.uris) > 1:
                raise _bad("a certificate with a SPIFFE id has another URI")
            if shown.signs:
                raise _bad("a certificate with a SPIFFE id is an authority's")
        name = next(iter(self._names(shown)), "")
        if not name or not name.isprintable():
            raise _bad("the certificate has no name of the kind that counts")
        return name

    async def open(self) -> None:
        """Has nothing to begin."""

    async def close(self) -> None:
        """Has nothing to end."""


def claims(shown: Certificate) -> Mapping[str, object]:
    """Returns what a certificate says, as a principal's claims."""
    return {
        "subject": shown.subject,
        "uris": list(shown.uris),
        "dns": list(shown.dns),
        "emails": list(shown.emails),
        "fingerprint": shown.fingerprint,
    }


def _bad(why: str) -> BadCredentials:
    return BadCredentials("The client's certificate is none that is accepted.", why)


def _ended(expires: float | None, now: float) -> bool:
    return expires is not None and expires <= now
