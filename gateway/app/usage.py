"""From `usage` and `state` to what counts calls, and to where that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gateway.app.operations import Operation
from gateway.app.state import redis_of
from gateway.chain import Policy
from gateway.config import Settings
from gateway.operations import NOT_ASKED_RIGHT, NOT_NOW, OperationError
from gateway.policies.usage import UsageOfCalls, UsageOfStreams
from gateway.schema.method import Kind, MethodDescriptor
from gateway.state.usage.ledger import Ledger
from gateway.state.usage.meter import InMemory, Meter, StoreError, Told
from gateway.state.usage.question import QuestionError, read
from gateway.state.usage.totals import Totals

if TYPE_CHECKING:
    from gateway.app.parts import Making, Part
    from gateway.state.redis import Redis


def usage(making: Making) -> Part:
    """Returns what counts calls, and offers the operation that tells of it."""
    redis = redis_of(making)
    most = making.config.usage.callers
    # For good: usage that is switched off for a while is to be told of afterwards.
    ledger = making.taken.for_good(("ledger of usage",), lambda: Ledger(most))
    # A config that is refused in the end may have set it. It bounds memory, and nothing else.
    ledger.most = most
    # At once, as both would take from the ledger: what is counted from now on is the new one's.
    meter = making.taken.of(("usage", redis), lambda: _meter(making, redis, ledger), at_once=True)
    making.operations.offer("usage", _operation(meter))
    return _Counting(ledger)


def _meter(making: Making, redis: Redis | None, ledger: Ledger) -> Meter:
    if redis is not None:
        # Only who has a Redis needs its client.
        from gateway.state.usage.shared import Shared  # noqa: PLC0415  see above

        return Meter(Shared(redis), ledger)
    if making.counted is not None:
        return Meter(Told(making.counted), ledger)
    totals = making.taken.for_good(("totals of usage",), lambda: Totals(lambda: ledger.most))
    return Meter(InMemory(totals), ledger)


class _Counting:
    """Makes the policies of methods (`gateway.app.parts.Part`)."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def policies(
        self,
        descriptor: MethodDescriptor,
        settings: Settings,  # noqa: ARG002  the interface's
        upstream: str,  # noqa: ARG002  the interface's
    ) -> Sequence[Policy]:
        """See Part."""
        tally = self._ledger.tally(descriptor.name)
        unary = descriptor.kind is Kind.UNARY
        return (UsageOfCalls(tally) if unary else UsageOfStreams(tally),)


def _operation(meter: Meter) -> Operation:
    """Returns the operation `usage`."""

    async def tell(arguments: Mapping[str, str]) -> dict[str, Any]:
        try:
            return await meter.answer(read(arguments))
        except QuestionError as error:
            raise OperationError(NOT_ASKED_RIGHT, str(error)) from error
        except StoreError as error:
            text = "What was used can't be told now: the shared state can't be reached."
            raise OperationError(NOT_NOW, text) from error

    return tell
