"""`python -m services_mock.issuer`: a small OpenID issuer for the example, and nothing more.

It gives a token to whoever names one of its three people, without a password: it is for trying out
what a gateway does with tokens. It therefore listens on this machine only.

    POST /token      user=ada                a token, as RFC 6749 section 5.1 has it
    POST /token.txt  user=ada                the same token as bare text, for a shell
    POST /rotate                             signs with a new key from now on
    GET  /jwks.json                          the public keys
    GET  /.well-known/openid-configuration   where all that is
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from services_mock.identity import PEOPLE, Issued, Issuer, Keys, ScopeError, UnknownPersonError
from services_mock.replica import ListenError
from services_mock.units import seconds

_HOST = "127.0.0.1"
_PORT = 8081
_MAX_FORM = 16 * 2**10  # bytes of a request


@dataclass(frozen=True, slots=True)
class Settings:
    """How tokens are made: whom they are for, and for how many seconds."""

    audience: str = "shop"
    lasts: int = 900


def application(issuer: Issuer) -> web.Application:
    """Makes the HTTP side of an issuer."""

    async def discovery(_: web.Request) -> web.Response:
        return web.json_response(issuer.discovery())

    async def keys(_: web.Request) -> web.Response:
        # Soon enough to see a rotation, and as often as a gateway would ask at most.
        return web.json_response(issuer.keys.published(), headers={"cache-control": "max-age=60"})

    async def rotate(_: web.Request) -> web.Response:
        return web.json_response({"kid": issuer.keys.rotate()})

    async def token(request: web.Request) -> web.Response:
        issued = await _issued(issuer, request)
        answer = {
            "access_token": issued.token,
            "token_type": "Bearer",
            "expires_in": issued.lasts,
            "scope": " ".join(issued.scopes),
        }
        return web.json_response(answer, headers={"cache-control": "no-store"})

    async def token_text(request: web.Request) -> web.Response:
        issued = await _issued(issuer, request)
        return web.Response(text=f"{issued.token}\n", headers={"cache-control": "no-store"})

    served = web.Application(client_max_size=_MAX_FORM)
    served.add_routes(
        [
            web.get("/.well-known/openid-configuration", discovery),
            web.get("/jwks.json", keys),
            web.post("/token", token),
            web.post("/token.txt", token_text),
            web.post("/rotate", rotate),
        ]
    )
    return served


async def _issued(issuer: Issuer, request: web.Request) -> Issued:
    """Makes the token that a form asks for: `user`, and if it says so `scope` and `lasts`."""
    form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    name = form.get("user") or form.get("username", "")
    try:
        return issuer.issue(
            name,
            scopes=tuple(form["scope"].split()) if "scope" in form else None,
            lasts=max(1, int(seconds(form["lasts"]))) if "lasts" in form else None,
        )
    except UnknownPersonError:
        raise _refusal("invalid_grant", f"user must be one of: {', '.join(PEOPLE)}") from None
    except ScopeError:
        wanted = " ".join(PEOPLE[name].scopes)
        raise _refusal("invalid_scope", f"{name} can have: {wanted}") from None
    except ValueError as error:
        raise _refusal("invalid_request", f"lasts: {error}") from None


def _refusal(error: str, description: str) -> web.HTTPBadRequest:
    """Makes the error of RFC 6749 section 5.2."""
    answer = web.json_response({"error": error, "error_description": description})
    return web.HTTPBadRequest(
        text=answer.text,
        content_type="application/json",
        headers={"cache-control": "no-store"},
    )


@asynccontextmanager
async def serving(
    settings: Settings, port: int = 0, *, or_another: bool = False
) -> AsyncIterator[str]:
    """Serves while the context lasts; gives the issuer's URL.

    Args:
        settings: how tokens are made.
        port: the port, or 0 for a free one.
        or_another: whether a free one will do where that is taken.

    Raises:
        ListenError: the port is taken.
    """
    with _bound(port, or_another=or_another) as listening:
        url = f"http://{_HOST}:{listening.getsockname()[1]}"
        issuer = Issuer(url, settings.audience, settings.lasts, Keys(), time.time)
        runner = web.AppRunner(application(issuer), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            yield url
        finally:
            await runner.cleanup()


def _bound(port: int, *, or_another: bool) -> socket.socket:
    try:
        return socket.create_server((_HOST, port))
    except OSError:
        if or_another:
            return socket.create_server((_HOST, 0))
        raise ListenError(f"cannot listen on {_HOST}:{port}") from None


async def _serve(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if arguments.end_with_stdin:
        loop.add_reader(0, _end_with_stdin, ended)
    settings = Settings(arguments.audience, max(1, int(arguments.lasts)))
    async with serving(settings, arguments.port, or_another=arguments.or_another) as url:
        print(f"serving on {url}\nready", flush=True)  # noqa: T201 - the command's output
        await ended.wait()


def _end_with_stdin(ended: asyncio.Event) -> None:
    """Ends the command when there is no more input; what there is says nothing."""
    if not os.read(0, 4096):
        ended.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services_mock.issuer",
        description=f"Gives tokens to {', '.join(PEOPLE)}, for trying out; on {_HOST} only.",
    )
    add = parser.add_argument
    add("--port", type=int, default=_PORT, help="port to listen on; 0: a free one (%(default)s)")
    add("--or-another", action="store_true", help="take a free port where that is taken")
    add("--audience", default="shop", help="whom tokens are for (%(default)s)")
    add("--lasts", type=seconds, default="15m", help="how long tokens last (%(default)s)")
    add("--end-with-stdin", action="store_true", help="end when stdin does")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; gives its exit status."""
    try:
        asyncio.run(_serve(_parser().parse_args(argv)))
    except ListenError as error:
        sys.stderr.write(f"services_mock.issuer: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
