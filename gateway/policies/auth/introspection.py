"""Callers that are known by opaque tokens, about which their issuer is asked (RFC 7662).

An answer is used again for 30 seconds at most, so what is revoked counts no longer than that; that
a token is not active is believed for some seconds. A token is asked about once at a time, however
many calls show it, and no more than so many are asked about at once, fewer of them for one address:
whoever shows tokens that nobody knows leaves room for others. A question goes on when all who wait
have left: its answer is kept, and until then it counts for the address that began it. An issuer
that does not answer is left alone for a while (`outage`). Whatever is not known for certain is
refused: nobody is let in on an old answer.

It takes every bearer token that the providers before it leave. Where the issuer's tokens can be
verified without asking, `jwt` does.
"""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import quote_plus

from gateway.call import Call, Deadline, Principal, RpcError
from gateway.errors import error
from gateway.head import Head
from gateway.policies.auth.bearer import SCHEME, BearerTokens
from gateway.policies.auth.binding import held, is_holder
from gateway.policies.auth.ends import Ends
from gateway.policies.auth.fetching import Fetcher, FetchError
from gateway.policies.auth.in_time import in_time
from gateway.policies.auth.introspection_answer import BadAnswerError, Expected, judge
from gateway.policies.auth.outage import Outage
from gateway.policies.auth.provider import BadCredentials
from gateway.policies.auth.token_cache import TokenCache
from gateway.policies.pending import Pending
from gateway.policies.site import site_of

log = logging.getLogger("gateway.auth")

LONGEST: Final = 30.0
"""Seconds for which an answer is used again."""

_REFUSED_FOR: Final = 5.0  # seconds
_AT_ONCE: Final = 256  # tokens
_OF_SITE: Final = 32  # of these, for one address
SIZE: Final = 64 * 1024
"""Bytes of an answer that are read."""
_RETRY: Final = 1.0  # seconds
# Statuses that are about the token, and not about the server: whoever sends odd ones must not bring
# the others' down.
_OF_THE_TOKEN: Final = frozenset({400, 413, 414, 422, 431})

_Verdict: TypeAlias = Principal | BadCredentials | None
"""Whom a token shows, why it is refused, or None: that can't be known."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is asked, and as whom.

    Attributes:
        url: The introspection endpoint.
        client_id: The gateway's name there.
        client_secret: Its secret.
    """

    url: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r}, {self.client_id!r})"

    @property
    def authorization(self) -> str:
        """The credentials as of RFC 6749 section 2.3.1: both parts encoded as in a form."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return "Basic " + b64encode(pair.encode()).decode()


class Introspection:
    """Knows callers by what their tokens' issuer says (`provider.Provider`).

    Args:
        endpoint: Who is asked.
        expected: What a good answer says; its provider's name is this one's.
        tokens: Finds the token of a request.
        cache: What was answered.
        fetcher: Asks; this one closes it.
        now: Seconds since 1970.
        clock: Seconds, on a clock that never goes back.
    """

    scheme: Final = SCHEME

    def __init__(
        self,
        endpoint: Endpoint,
        expected: Expected,
        *,
        tokens: BearerTokens,
        cache: TokenCache,
        fetcher: Fetcher,
        now: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self.name = expected.provider
        self.carried = tokens.carried
        self._endpoint = endpoint
        self._expected = expected
        self._tokens = tokens
        self._shown = tokens.at_once
        self._cache = cache
        self._fetcher = fetcher
        self._now = now
        self._outage = Outage(clock)
        self._asking: dict[str, asyncio.Task[_Verdict]] = {}
        self._ends = Ends()
        self._for: Counter[str] = Counter()  # questions, by the site of who began them

    def known(self, call: Call) -> Principal | None:
        """Returns whom the token shows, if its issuer said so a moment ago."""
        head = call.head
        token = None if head is None else self._shown(head)
        if head is None or token is None:
            return None
        principal = self._cache.get(token)
        return principal if principal is None or is_holder(principal.claims, head) else None

    def identify(self, call: Call) -> Awaitable[Principal] | Principal | None:
        """Returns what to await for whom the token shows; None where there is no token.

        Raises:
            BadCredentials: It is malformed, was found not active a moment ago, or is another's.
            RpcError: AUTHENTICATION_UNAVAILABLE: its issuer can't be asked now.
                CROSS_SITE_REQUEST: only a cookie shows it, and another site may have asked.
        """
        head = call.head
        token = None if head is None else self._tokens.of(head)
        if head is None or token is None:
            return None
        if (principal := self._cache.get(token)) is not None:
            return held(principal, head)
        if (refusal := self._cache.refusal(token)) is not None:
            raise refusal
        return Pending(partial(self._awaited, self._asked(token, call.peer), head, call.deadline))

    async def open(self) -> None:
        """Has nothing to begin."""

    async def close(self) -> None:
        """Ends what is asked."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking)
        await self._fetcher.close()

    def _asked(self, token: str, peer: str) -> asyncio.Task[_Verdict]:
        """Returns the task that asks about a token; there is one at most."""
        task = self._asking.get(token)
        if task is None:
            site = site_of(peer)
            if len(self._asking) >= _AT_ONCE or self._for[site] >= _OF_SITE:
                raise _unavailable(_RETRY)
            if (wait := self._outage.wait()) > 0:
                raise _unavailable(wait)
            task = asyncio.get_running_loop().create_task(self._ask(token))
            self._asking[token] = task
            self._for[site] += 1
            task.add_done_callback(lambda _: self._answered(token, site))
        return task

    def _answered(self, token: str, site: str) -> None:
        del self._asking[token]
        self._for[site] -= 1
        if not self._for[site]:
            del self._for[site]

    async def _awaited(
        self, task: asyncio.Task[_Verdict], head: Head, deadline: Deadline | None
    ) -> Principal:
        async with in_time(deadline):
            # A caller that leaves must not take the answer away from the others.
            await self._ends.of(task)
        if task.cancelled():
            raise _unavailable(_RETRY)
        verdict = task.result()
        if isinstance(verdict, BadCredentials):
            # A new one for each who waits: an exception gathers where it was raised.
            raise BadCredentials(verdict.text, verdict.why, reason=verdict.reason)
        if verdict is None:
            raise _unavailable(_RETRY)
        return held(verdict, head)

    async def _ask(self, token: str) -> _Verdict:
        form = {"token": token, "token_type_hint": "access_token"}
        headers = {"authorization": self._endpoint.authorization}
        try:
            fetched = await self._fetcher.post(self._endpoint.url, form, headers)
            principal = judge(fetched.json, self._expected, self._now())
        except FetchError as failure:
            self._failed(failure)
            return None
        except BadAnswerError as failure:
            self._outage.succeeded()
            log.warning("%s: the answer about a token is of no use: %s", self.name, failure)
            return None
        except BadCredentials as failure:
            self._outage.succeeded()
            self._cache.refuse(token, failure, _REFUSED_FOR)
            return failure
        self._outage.succeeded()
        self._cache.put(token, principal, seconds=LONGEST)
        return principal

    def _failed(self, failure: FetchError) -> None:
        if failure.status not in _OF_THE_TOKEN and self._outage.failed():
            log.error("%s: %s; it is left alone for a while", self.name, failure)
        else:
            log.info("%s: %s", self.name, failure)


def _unavailable(retry_after: float) -> RpcError:
    text = "The token's issuer can't be asked now."
    return error("AUTHENTICATION_UNAVAILABLE", text, retry_after=retry_after)
