"""The WebSocket front of a generation, from the config's section."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Final

from gateway.app import settings
from gateway.app.id_cookies import cookies_of
from gateway.call import Call, Gate, RpcError
from gateway.chain import Method
from gateway.config import Config
from gateway.config.models.rest import Rest
from gateway.config.models.websocket import Websocket
from gateway.errors import error
from gateway.fronts.error_details import AnyToJson
from gateway.fronts.files import File
from gateway.fronts.websocket.front import FrontOptions, WebsocketFront
from gateway.fronts.websocket.identity import Authenticate, anonymous, by_gate
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.plain.call import SocketOptions as PlainSocketOptions
from gateway.fronts.websocket.plain.compile import ListedSocket, PlainOptions, compiling_plain
from gateway.fronts.websocket.plain.opening import Shared
from gateway.fronts.websocket.serving import Serving
from gateway.fronts.websocket.sessions import Sessions
from gateway.fronts.websocket.sockets import SocketOptions, Sockets
from gateway.fronts.websocket.terms import Rates, Times
from gateway.http import Exchange, Request
from gateway.http.request_id import REQUEST_ID
from gateway.routing.metadata import HeaderRules, canonical
from gateway.schema.codec import Codec
from gateway.schema.registry import Registry

_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "ts": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
}

# The page of the example has no script and no style but its own files, and one socket.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True, eq=False)
class WebsocketParts:
    """What a generation has of WebSocket.

    Attributes:
        front: Answers requests.
        serving: What streams that are opened next are served with.
        gate: Who may open a socket; None where everybody may.
        routes: The paths that answer upgrades as calls.
        files: The paths of what is served beside sockets.
        notes: What is so by design.
    """

    front: WebsocketFront
    serving: Serving
    gate: Gate | None
    routes: tuple[ListedSocket, ...]
    files: tuple[str, ...]
    notes: tuple[str, ...]


def websocket_parts(
    config: Config,
    given: Websocket,
    rest: Rest | None,
    *,
    methods: Mapping[str, Method],
    registry: Registry,
    codec: Codec,
    rules: HeaderRules,
    any_to_json: AnyToJson,
    clock: Callable[[], float],
    lease: object,
    gate: Gate | None,
    pages: Gate | None,
    sessions: Sessions,
    greeting: tuple[tuple[str, str], ...],
    refuse: Callable[[Exchange, RpcError], None],
    current: Callable[[Request], WebsocketParts | None],
    drain_timeout: Callable[[], float],
) -> Generator[None, None, WebsocketParts]:
    """Builds the front, and yields where others may have their turn.

    Args:
        config: The config.
        given: Its section `websocket`.
        rest: Its section `rest`, whose routes answer upgrades; None where REST is off.
        methods: Those that have an upstream.
        registry: Their descriptors.
        codec: Their JSON.
        rules: Which headers pass.
        any_to_json: Renders details of errors.
        clock: The event loop's.
        lease: What must live as long as any call does.
        gate: Who may open a socket; None where everybody may.
        pages: Who may see the example's page; None where everybody may.
        sessions: Those of the process: they outlive generations.
        greeting: Headers with which sockets are opened.
        refuse: Answers a request with an error.
        current: The parts of the generation that serves now, for a request: sockets outlive a
            reload.
        drain_timeout: That of the config of the time.

    Raises:
        SchemaError: A path could be for two streaming methods.
    """
    passes = REQUEST_ID in config.headers.request.allow
    serving = Serving(methods, codec, rules, any_to_json, clock, passes, lease, credentials(config))
    # A socket may outlive the front, and then has nothing to call. It must not hold what is made
    # here: an idle one would keep this generation for its life.
    nothing = replace(serving, methods={}, lease=None)

    def now(request: Request) -> Serving:
        parts = current(request)
        return nothing if parts is None else parts.serving

    def asked(request: Request) -> Gate | None:
        parts = current(request)
        return _GONE if parts is None else parts.gate

    cookies = cookies_of(methods.values())
    compiled = yield from compiling_plain(
        methods.values(),
        registry,
        codec,
        Shared(rules, any_to_json, clock, passes, lease, cookies, sessions.roster, greeting),
        _plain_options(config, given, rest, drain_timeout),
    )
    options = socket_options(config, given, drain_timeout, by_gate(asked, time.time))
    front_options = FrontOptions(
        given.path,
        given.subprotocols,
        given.origins,
        compressed=given.permessage_deflate,
        cookies=cookies,
        greeting=greeting,
    )
    served = files(given)
    demo = {} if pages is None else dict.fromkeys(_demo(given), pages)
    front = WebsocketFront(
        Sockets(now, sessions, options),
        front_options,
        served,
        compiled.front,
        refuse,
        gates=demo,
    )
    return WebsocketParts(front, serving, gate, compiled.routes, tuple(served), compiled.notes)


class _Gone:
    """Knows nobody: the generation that serves has no sockets, and nobody who could be asked."""

    def admit(self, call: Call) -> None:
        """Refuses every caller."""
        text = f"The {call.front} front was switched off."
        raise error("AUTHENTICATION_UNAVAILABLE", text)


_GONE: Final = _Gone()


def credentials(config: Config) -> frozenset[str]:
    """Returns the names by which providers know callers; none where there are no providers."""
    providers = config.auth.providers.values()
    if not providers:
        return frozenset()
    keys = (each.api_key.header for each in providers if each.api_key is not None)
    names = ("authorization", "cookie", *keys)
    return frozenset(canonical(name.lower()) for name in names)


def socket_options(
    config: Config,
    given: Websocket,
    drain_timeout: Callable[[], float],
    authenticate: Authenticate = anonymous,
) -> SocketOptions:
    """Returns what holds of every socket of the multiplexed form."""
    limits = given.limits
    return SocketOptions(
        limits=Limits(
            streams=limits.streams,
            message_size=limits.message_size,
            session_buffer=max(Limits().session_buffer, 4 * limits.message_size),
            replies=max(Limits().replies, 4 * config.listener.limits.message_size),
        ),
        rates=Rates(limits.opens.per_second, limits.messages.per_second),
        times=Times(
            hello=limits.hello_timeout,
            ping=given.ping,
            max_age=limits.max_age,
            idle=limits.idle_timeout,
            drain=config.listener.drain_timeout,
        ),
        resume=given.resume,
        authenticate=authenticate,
        drain_timeout=drain_timeout,
    )


def files(given: Websocket) -> dict[str, File]:
    """Returns what is served beside sockets, by path."""
    below = given.path.rstrip("/")
    served = {
        f"{below}/client.js": _file("client.js"),
        f"{below}/client.d.ts": _file("client.d.ts"),
    }
    return served | _demo(given)


def _demo(given: Websocket) -> dict[str, File]:
    if not given.demo:
        return {}
    page = _file("demo.html", ("content-security-policy", _POLICY))
    return {"/demo": page, **{f"/demo/{name}": _file(name) for name in ("demo.js", "demo.css")}}


@cache
def _file(name: str, *headers: tuple[str, str]) -> File:
    body = (resources.files("gateway.fronts.websocket") / "pages" / name).read_bytes()
    return File.of(body, _TYPES[name.rpartition(".")[2]], [("cache-control", "no-cache"), *headers])


def _plain_options(
    config: Config, given: Websocket, rest: Rest | None, drain_timeout: Callable[[], float]
) -> PlainOptions:
    limits = given.limits
    rest_options = None if rest is None else settings.rest_options(config, rest)
    return PlainOptions(
        rest=rest_options is not None,
        prefix=rest_options.prefix if rest_options else "",
        unannotated=rest_options.unannotated if rest_options else True,
        ignore_query=rest_options.ignore_query if rest_options else (),
        socket=PlainSocketOptions(
            message_size=limits.message_size,
            messages=limits.messages.per_second,
            ping=given.ping,
            idle_timeout=config.listener.limits.idle_timeout,
            drain_timeout=drain_timeout,
            compressed=given.permessage_deflate,
        ),
    )
