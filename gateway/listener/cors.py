"""Cross-origin resource sharing: which pages of other origins may read replies (WHATWG Fetch).

A browser lets a page read a reply of another origin if the reply says so, and asks beforehand, by a
preflight, for what a form could not send. Both are answered here, for every path of every front,
and for errors too, of which a page would else learn nothing.

A preflight goes its way as the OPTIONS that it is, so that it is answered by the path's own
methods; it asks nobody who he is, and calls nothing, but where a rule of the protos is for OPTIONS.
Where the path has no methods, all are allowed: the call itself then says what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.http import Headers, Request
from gateway.http.exchange import HeaderList
from gateway.http.origin import ANY, Origin

EXPOSED: Final = (
    *("x-request-id", "etag", "location", "retry-after", "age", "link", "allow"),
    *("ratelimit", "ratelimit-policy"),
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    *("deprecation", "sunset", "x-partial", "www-authenticate", "x-mock"),
)
"""Headers of the gateway's own that pages may read beside those that Fetch lets them read."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_VARY: Final = ("vary", "origin")
_PREFLIGHT_VARY: Final = (
    "vary",
    "origin, access-control-request-method, access-control-request-headers",
)
_ALLOWED: Final = "access-control-allow-origin"
_EXPOSE: Final = "access-control-expose-headers"
_ASKED_METHOD: Final = "access-control-request-method"
_ASKED_HEADERS: Final = "access-control-request-headers"
_REMEMBERED: Final = 256  # origins
_LONGEST: Final = 300  # characters of an origin: a scheme, a host name of 253, a port


@dataclass(frozen=True, slots=True)
class Cors:
    """What pages of other origins may do.

    Attributes:
        origins: Whose pages: `https://app.example`, `https://*.app.example` for every host below,
            or ANY.
        credentials: Whether they may act as the user, by what browsers attach; not with ANY.
        max_age: Seconds for which a browser keeps the answer to a preflight.
        methods: Methods that they may use; none for those that the path answers.
        headers: Lower-case header fields that they may send; none for all that they ask for.
        expose: Header fields of replies that they may read, beside EXPOSED.
    """

    origins: tuple[str, ...]
    credentials: bool = False
    max_age: int = 600
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    _listed: tuple[Origin, ...] = field(init=False)
    _open: HeaderList = field(init=False)
    _exposing: tuple[str, str] = field(init=False)
    _known: dict[str, HeaderList] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        if self.credentials and ANY in self.origins:
            raise ValueError("pages of all origins can't act as the user")
        read = tuple(filter(None, map(Origin.read, self.origins)))
        exposing = _EXPOSE, ", ".join(dict.fromkeys((*EXPOSED, *self.expose)))
        object.__setattr__(self, "_listed", read)
        object.__setattr__(self, "_exposing", exposing)
        object.__setattr__(self, "_open", ((_ALLOWED, ANY), exposing))

    def acts_as_user(self, headers: Headers) -> bool:
        """Returns whether a request is of a page of another origin that may act as the user."""
        return self.credentials and self._allows(headers)

    def headers_for(self, request: Request) -> HeaderList:
        """Returns the header fields that a reply gets."""
        if "origin" not in request.headers.first:
            # A cache must not give this reply to a page that would need the other.
            return self._open if ANY in self.origins else (_VARY,)
        origins = request.headers.all("origin")
        if len(origins) != 1 or len(origins[0]) > _LONGEST:
            return (_VARY,)
        known = self._known.get(origins[0])
        if known is None:
            known = self._made(origins[0])
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[origins[0]] = known
        return known

    def is_preflight(self, request: Request) -> bool:
        """Returns whether a request only asks what another may do, and may get an answer."""
        return (
            request.method == "OPTIONS"
            and _ASKED_METHOD in request.headers
            and self._allows(request.headers)
        )

    def preflight(self, request: Request, headers: HeaderList) -> HeaderList:
        """Returns the header fields of the answer to a preflight.

        Args:
            request: The preflight.
            headers: Those of the reply to it as OPTIONS.
        """
        allowed = next((value for name, value in headers if name.lower() == "allow"), None)
        methods = ", ".join(self.methods) or allowed or ", ".join(METHODS)
        asked = ", ".join(self.headers) or ", ".join(request.headers.all(_ASKED_HEADERS))
        kept = [each for each in headers if each[0].lower() == "x-request-id"]
        own = [each for each in self.headers_for(request) if each != _VARY and each[0] != _EXPOSE]
        named = [("access-control-allow-headers", asked)] if asked else []
        return [
            *kept,
            *own,
            ("access-control-allow-methods", methods),
            *named,
            ("access-control-max-age", str(self.max_age)),
            _PREFLIGHT_VARY,
        ]

    def _allows(self, headers: Headers) -> bool:
        match headers.all("origin"):
            case [text] if len(text) <= _LONGEST:
                return self._covers(text)
            case _:
                return False

    def _covers(self, text: str) -> bool:
        if ANY in self.origins:
            return True
        page = Origin.read(text)
        return page is not None and any(each.covers(page) for each in self._listed)

    def _made(self, text: str) -> HeaderList:
        if ANY in self.origins:
            return self._open
        if not self._covers(text):
            return (_VARY,)
        told = [(_ALLOWED, text), _VARY]
        if self.credentials:
            told.append(("access-control-allow-credentials", "true"))
        return (*told, self._exposing)


def shared(
    cors: Cors, request: Request, reply: tuple[int, HeaderList, bytes]
) -> tuple[int, HeaderList, bytes]:
    """Returns a whole reply as pages of other origins may have it.

    Args:
        cors: What they may.
        request: What is answered.
        reply: Status, header fields and body of the answer.
    """
    status, headers, body = reply
    if cors.is_preflight(request):
        return 204, cors.preflight(request, headers), b""
    return status, (*headers, *cors.headers_for(request)), body
