"""Asks the service about every call (`provider.Provider`), by an upstream of the config.

Nothing is kept: what it decides may depend on anything in a request. So it is asked about each
call, which waits for it; about what is no call (a page, the opening of a socket) it is asked by its
path. What it can't be asked about, or does not answer in time, is refused. For how many calls of an
address it is asked at once, the gate's `Guard` says, which is paid until there is an answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from gateway.awaited import awaited
from gateway.call import Call, Code, Deadline, Principal, RpcError, Unary
from gateway.errors import error
from gateway.head import Head
from gateway.policies.auth.attached import IsOwnDoing, cross_site, is_attached
from gateway.policies.auth.ext_authz import changes
from gateway.policies.auth.ext_authz.answer import judge
from gateway.policies.auth.ext_authz.attributes import check_request
from gateway.policies.auth.ext_authz.changes import BadAnswerError
from gateway.policies.pending import Pending

log = logging.getLogger("gateway.auth")

CHECK: Final = "envoy.service.auth.v3.Authorization/Check"


class ExtAuthz:
    """Lets in whom a service lets in.

    Args:
        name: What the config calls it.
        ask: Makes calls of the upstream that serves it.
        timeout: Seconds that it may take.
        may_change: Whether it may change a header of a lower-case name.
        now: Seconds since 1970.
        is_own_doing: Whether a request is its sender's. The service may decide by what a browser
            attaches to what any page asks.
    """

    scheme: Final = ""

    def __init__(
        self,
        name: str,
        ask: Unary,
        *,
        timeout: float,
        may_change: Callable[[str], bool],
        now: Callable[[], float],
        is_own_doing: IsOwnDoing,
    ) -> None:
        self.name = name
        self._ask = ask
        self._timeout = timeout
        self._may_change = may_change
        self._now = now
        self._is_own_doing = is_own_doing
        self._failing = False

    def carried(self, head: Head) -> bool:  # noqa: ARG002  whatever it shows
        """Whether a request shows what it looks at: each does."""
        return True

    def known(self, call: Call) -> Principal | None:  # noqa: ARG002  whatever it shows
        """Knows nobody without asking."""
        return None

    def identify(self, call: Call) -> Pending[Principal] | None:
        """Returns what to await for who calls; None for a call of the gateway's own.

        When it is awaited, it raises RpcError: the service's refusal, or that it can't be asked,
        AUTHENTICATION_UNAVAILABLE.

        Raises:
            RpcError: CROSS_SITE_REQUEST: another site may have asked, with what a browser attaches.
        """
        head = call.head
        if head is None:
            return None
        if not self._is_own_doing(head) and is_attached(head):
            raise cross_site("What a browser attaches by itself")
        return Pending(partial(self._check, call, head))

    async def open(self) -> None:
        """Has nothing to begin."""

    async def close(self) -> None:
        """Has nothing to end: its upstream is not its own."""

    async def _check(self, call: Call, head: Head) -> Principal:
        at = asyncio.get_running_loop().time() + self._timeout
        hurried = call.deadline is not None and call.deadline.at < at
        if call.deadline is not None:
            at = min(at, call.deadline.at)
        check = Call(
            CHECK,
            check_request(call, head, self._now()),
            deadline=Deadline(at),
            request_id=call.request_id,
        )
        try:
            reply = await awaited(self._ask, check)
            verdict = judge(reply.message, self.name, self._may_change, self._now())
        except BadAnswerError as failure:
            raise self._unavailable(f"its answer is of no use: {failure}") from None
        except RpcError as failure:
            if hurried and failure.status.code is Code.DEADLINE_EXCEEDED:
                # The caller's doing, which says nothing of the service.
                text = "The deadline passed before it was known who calls."
                raise error("DEADLINE_EXCEEDED", text) from None
            raise self._unavailable(f"the call ended with {failure.status.code.name}") from None
        if self._failing:
            self._failing = False
            log.info("%s: the service answers again", self.name)
        if isinstance(verdict, RpcError):
            raise verdict
        call.metadata = changes.metadata(call.metadata, verdict.request, verdict.removed)
        if verdict.reply:
            call.reply_headers = changes.reply_headers(call.reply_headers, verdict.reply)
        return verdict.principal

    def _unavailable(self, why: str) -> RpcError:
        if not self._failing:  # the refusals that follow are in the log by their number
            self._failing = True
            log.error("%s: no call is let in: %s", self.name, why)
        text = "It can't be known now whether the call is allowed."
        return error("AUTHENTICATION_UNAVAILABLE", text, retry_after=1.0)
