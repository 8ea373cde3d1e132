"""The gateway's own requests over HTTP: to an issuer's keys, to who is asked about a token.

An issuer is trusted with what it says, not with the gateway's time, memory or credentials: every
exchange has a time limit and a size limit, no redirect is followed, no cookie is kept, no encoding
undone, and TLS is verified against the system's authorities (`SSL_CERT_FILE` names others). What
goes wrong has one error type, whose text holds nothing of what was sent or received.

When to ask again, and what to do meanwhile, is the caller's to decide.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final, NamedTuple

import aiohttp

from gateway import __version__
from gateway.policies.auth import strict_json

_CONNECT: Final = 3.0
_TOTAL: Final = 10.0
_SIZE: Final = 512 * 1024
_CONNECTIONS: Final = 32  # at once; more exchanges wait for one of them
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "user-agent": f"grpc-api-gateway/{__version__}",
}


class FetchError(Exception):
    """An exchange that gave no answer of use. The text is for the log, and has no secrets.

    Attributes:
        status: The HTTP status, where there was one.
    """

    def __init__(self, url: str, text: str, status: int | None = None) -> None:
        super().__init__(f"{_shown(url)}: {text}")
        self.status = status


class Fetched(NamedTuple):
    """An answer.

    Attributes:
        json: Its body's value.
        max_age: Seconds for which it may be kept (RFC 9111 section 5.2.2), 0 for not at all; None
            where it does not say.
        place: Its URL without what may be secret in it, for the log.
    """

    json: object
    max_age: float | None
    place: str = "the answer"


class Fetcher:
    """Asks servers by HTTP/1.1. To be used inside one loop; connections are kept for the next time.

    Args:
        connect: Seconds until there is a connection.
        total: Seconds until the whole answer is there.
        size: Bytes that the body of an answer may have.
    """

    def __init__(
        self, *, connect: float = _CONNECT, total: float = _TOTAL, size: int = _SIZE
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=total, connect=connect)
        self._size = size
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def get(self, url: str) -> Fetched:
        """Returns the JSON at a URL.

        Raises:
            FetchError: There is none, or not in time.
        """
        return await self._exchange("GET", url, None, {})

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Fetched:
        """Returns the JSON that a form is answered with.

        Args:
            url: Where it is sent.
            form: Its fields (`application/x-www-form-urlencoded`).
            headers: Header fields, such as `authorization`.

        Raises:
            FetchError: There is none, or not in time.
        """
        return await self._exchange("POST", url, form, headers or {})

    async def close(self) -> None:
        """Ends all exchanges and connections; nobody is asked from then on."""
        self._closed = True
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _exchange(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Fetched:
        if self._closed:
            raise FetchError(url, "is not asked any more")
        try:
            async with self._opened().request(
                method, url, data=form, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    text = f"answered {response.status}"
                    raise FetchError(url, text, response.status)
                if response.headers.get("content-encoding", "identity").lower() != "identity":
                    raise FetchError(url, "answered in an encoding that was not asked for")
                body = await self._body(url, response.content)
                max_age = _max_age(response.headers.getall("cache-control", []))
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            # aiohttp's texts repeat URLs, which may hold credentials.
            raise FetchError(url, self._why(failure)) from None
        try:
            return Fetched(strict_json.read(body), max_age, _shown(url))
        except strict_json.NotStrictError as failure:
            raise FetchError(url, f"answered with a bad document: {failure}") from None

    async def _body(self, url: str, content: aiohttp.StreamReader) -> bytes:
        body = bytearray()
        async for chunk in content.iter_any():
            body += chunk
            if len(body) > self._size:
                raise FetchError(url, f"answered with more than {self._size} bytes")
        return bytes(body)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                timeout=self._timeout,
                auto_decompress=False,
            )
        return self._session

    def _why(self, failure: Exception) -> str:
        if isinstance(failure, TimeoutError):
            return "did not answer in time"
        if isinstance(failure, aiohttp.ClientConnectorCertificateError):
            inner = failure.certificate_error
            reason = inner.verify_message if isinstance(inner, ssl.SSLCertVerificationError) else ""
            return f"has a certificate that is not trusted: {reason or 'it does not verify'}"
        if isinstance(failure, aiohttp.ClientConnectorError):
            return f"can't be reached: {failure.os_error.strerror or 'no connection'}"
        return f"the exchange failed ({type(failure).__name__})"


def _shown(url: str) -> str:
    """Returns what of a URL can be shown: neither credentials nor the query."""
    scheme, _, rest = url.partition("?")[0].partition("#")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _max_age(fields: list[str]) -> float | None:
    age: float | None = None
    for directive in ",".join(fields).lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name in {"no-store", "no-cache"}:
            return 0.0
        digits = value.strip('"')
        if name == "max-age" and digits.isascii() and digits.isdigit():
            age = float(digits[:10])
    return age
