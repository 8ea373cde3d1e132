"""From `policies[].rate_limits`, `plans` and `limits` to the gates that limit, and what counts.

A limit's shares outlive generations: they are kept under a key that says all of it, so a reload
that leaves a limit as it was leaves its shares, too. The calls that wait are counted on likewise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor import Descriptor

from gateway.app.limiter import limiter_of
from gateway.app.places import of_key
from gateway.chain import Policy
from gateway.config import Rate, Settings
from gateway.config.effective import RATE_LIMITS
from gateway.config.models import RateLimit
from gateway.config.problems import Path
from gateway.config.units import format_size
from gateway.policies.limits.algorithms import LONGEST_PATIENCE
from gateway.policies.limits.allowance import Allowance, ByPlan
from gateway.policies.limits.ask import Algorithm, Numbers
from gateway.policies.limits.charges import Charges
from gateway.policies.limits.charging import Charging
from gateway.policies.limits.delay import Room
from gateway.policies.limits.gate import RateLimits
from gateway.policies.limits.keys import digest_of, key_of
from gateway.policies.limits.limit import Limit
from gateway.policies.limits.messages import MessageLimits
from gateway.policies.limits.quotas import Calendar, Quota
from gateway.policies.limits.refusal import Notes
from gateway.policies.limits.tally import Tally
from gateway.policies.request_field import FieldError
from gateway.schema.method import Kind, MethodDescriptor

if TYPE_CHECKING:
    from gateway.app.parts import Making, Part
    from gateway.config.models.policies import Plan

log = logging.getLogger("gateway.limits")

TALLY: Final = "tally of a limit"
"""The kind of what limits count, among what outlives generations."""

_FIELD: Final = "field:"
_UNKNOWN: Final = 100  # plans that nobody knows of which a line is written


def limits(making: Making) -> Part:
    """Returns what limits calls; adds to `making.problems`."""
    making.problems.extend([*_mistakes(making), *_wrong_fields(making)])
    return _Limits(making)


def numbers_of(given: RateLimit, rate: Rate, *, plans: bool = False) -> Numbers:
    """Returns how large a share is.

    Args:
        given: The limit.
        rate: Its rate, or a plan's.
        plans: Whether it is a plan's: as many at once then as the rate has, whatever the policy's
            `burst` says of its own rate.
    """
    burst = rate.count if plans or given.burst is None else given.burst
    return Numbers(Algorithm(given.algorithm), rate.count, float(rate.period), burst)


class _Limits:
    """Makes the policies of methods (`gateway.app.parts.Part`)."""

    def __init__(self, making: Making) -> None:
        config = making.config
        self._making = making
        self._limiter = limiter_of(making)
        self._notes = Notes()
        self._api_keys = frozenset(
            name for name, given in config.auth.providers.items() if given.api_key is not None
        )
        dates = Calendar()
        self._quotas = {name: _quotas(making, plan, dates) for name, plan in config.plans.items()}
        self._charged = {
            name: after
            for name, quotas in self._quotas.items()
            if (after := [each for each in quotas if each.what != "calls"])
        }
        self._charges = making.taken.of(("charges", config.state, config.state_timeout), Charges)
        self._unknown = _told_once(config.plans)

    def policies(
        self,
        descriptor: MethodDescriptor,
        settings: Settings,
        upstream: str,  # noqa: ARG002  the interface's
    ) -> Sequence[Policy]:
        """See Part."""
        given = [each for each in settings.rate_limits.values() if each.rate is not None]
        request = self._making.registry.message(descriptor.input)
        try:
            usual = [self._limit(each, each.rate, request) for each in given if each.rate]
            plans: dict[str, list[Limit | Quota]] = {
                name: [*self._of_plan(given, plan, request), *self._quotas[name]]
                for name, plan in self._making.config.plans.items()
            }
        except FieldError:  # it is among the problems, with its line
            return ()
        if not usual and not any(plans.values()):
            return ()
        chain: list[Policy] = [RateLimits(self._by_plan(usual, plans), self._limiter, self._notes)]
        if descriptor.kind is not Kind.UNARY and any(each.messages for each in given):
            of_messages = {name: _of_messages(each) for name, each in plans.items()}
            by_plan = self._by_plan(_of_messages(usual), of_messages)
            chain.append(MessageLimits(by_plan, self._limiter, self._notes))
        if self._charged:
            chain.append(Charging(self._charged, self._limiter, self._notes, self._charges))
        return chain

    def _of_plan(
        self, given: Sequence[RateLimit], plan: Plan, request: Descriptor
    ) -> Iterator[Limit]:
        for each in given:
            rate = plan.rate_limits.get(each.name, each.rate)
            if rate is not None:
                plans = each.name in plan.rate_limits
                yield self._limit(each, rate, request, plans=plans)

    def _limit(
        self, given: RateLimit, rate: Rate, request: Descriptor, *, plans: bool = False
    ) -> Limit:
        numbers = numbers_of(given, rate, plans=plans)
        prefix = f"{given.name}:{digest_of(tuple(numbers), given.key)}:"
        delays = given.on_limit == "delay"
        return Limit(
            name=given.name,
            rate=str(rate),
            numbers=numbers,
            prefix=prefix,
            key=key_of(given.key, self._api_keys, request),
            patience=given.max_delay if delays else 0.0,
            room=self._making.taken.still(("room", prefix), Room) if delays else None,
            messages=given.messages,
            dark=given.dark,
            on_error=given.on_error,
            tally=_tally(self._making, given.name),
            by=given.key,
        )

    def _by_plan(
        self,
        usual: Sequence[Limit],
        plans: Mapping[str, Sequence[Limit | Quota]],
    ) -> ByPlan:
        legacy = self._making.config.limits.legacy_headers
        clock = self._making.clock
        return ByPlan(
            {name: Allowance(each, clock, legacy=legacy) for name, each in plans.items()},
            Allowance(usual, clock, legacy=legacy),
            self._unknown,
        )


def _quotas(making: Making, plan: Plan, dates: Calendar) -> list[Quota]:
    given = plan.quotas
    found = []
    for what in ("calls", "messages", "bytes"):
        quota = getattr(given, what)
        if quota is not None:
            told = format_size(quota.count) if what == "bytes" else None
            tally = _tally(making, f"{what}/{quota.period}")
            found.append(Quota(what, quota.count, quota.period, dates, told, tally=tally))
    return found


def _tally(making: Making, name: str) -> Tally:
    """Returns where all that have a name count what they decide, for as long as the process."""
    return making.taken.for_good((TALLY, name), Tally)


def _of_messages(limits: Sequence[Limit | Quota]) -> list[Limit]:
    return [each for each in limits if isinstance(each, Limit) and each.messages]


def _told_once(plans: Mapping[str, object]) -> Callable[[str], None]:
    """Returns what writes, once for each plan, that the config does not know it."""
    told: set[str] = set()

    def tell(plan: str) -> None:
        # Who gives tokens may write any text there.
        if plans and plan not in told and len(told) < _UNKNOWN:
            told.add(plan)
            log.warning("callers have a plan %.100r that `plans` does not have", plan)

    return tell


def _mistakes(making: Making) -> Iterator[str]:
    """Yields what a limit says that its algorithm can't do."""
    for index, policy in enumerate(making.config.policies):
        for number, limit in enumerate(policy.rate_limits):
            at: Path = ("policies", index, RATE_LIMITS, number)
            if limit.max_delay > LONGEST_PATIENCE:
                yield of_key(
                    (*at, "max_delay"), f"expected {LONGEST_PATIENCE:g}s at most", making.source
                )
            if limit.algorithm == "token_bucket":
                continue
            if limit.on_limit == "delay":
                text = f"a {limit.algorithm} can't tell when it is a call's turn; only a"
                yield of_key((*at, "on_limit"), f"{text} token_bucket delays", making.source)
            if limit.burst is not None:
                text = f"a {limit.algorithm} has no burst; only a token_bucket has"
                yield of_key((*at, "burst"), text, making.source)


def _wrong_fields(making: Making) -> Iterator[str]:
    """Yields keys that are fields of requests, and can't be: a line for each limit.

    What is told is of a unary method, if there is one: that streams have no request is no news to
    who has misspelt a field.
    """
    wrong: dict[str | None, list[tuple[bool, str, str]]] = {}
    for name, descriptor in making.descriptors.items():
        settings = making.settings[name]
        for limit in settings.rate_limits.values():
            fields = [part for part in limit.key if part.startswith(_FIELD)]
            if not fields or limit.rate is None:
                continue
            failure = _field_failure(making, descriptor, fields)
            if failure is not None:
                leaf = (RATE_LIMITS, limit.name)
                line = settings.mistake(leaf, f"key: {failure}")
                streams = descriptor.kind is not Kind.UNARY
                wrong.setdefault(settings.where(leaf), []).append((streams, line, name))
    for found in wrong.values():
        _, line, first = min(found, key=lambda each: each[0])
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield f"{line} ({first}{more})"


def _field_failure(
    making: Making, descriptor: MethodDescriptor, fields: Sequence[str]
) -> str | None:
    if descriptor.kind is not Kind.UNARY:
        return f"{fields[0]}: there is no request yet when a stream begins"
    try:
        key_of(fields, request=making.registry.message(descriptor.input))
    except FieldError as failure:
        return f"{failure}"
    return None
