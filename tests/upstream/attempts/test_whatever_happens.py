"""Whatever happens to calls, in whatever order: each ends once, and nothing remains of it."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.call import Code, Reply
from gateway.upstream.channel import State
from gateway.upstream.node import Cause
from gateway.upstream.spec import BalancingSpec, BreakerSpec, HedgingSpec, RetrySpec
from tests.examples import examples
from tests.upstream.attempts.stage import (
    IDEMPOTENT,
    NEVER,
    SAFE,
    Stage,
    answered,
    broken,
    busy,
    late,
    refused,
    unsent,
)

OUTCOMES = {
    "an answer": lambda: Reply(b"ok"),
    "its own status": busy,
    "a final one": lambda: busy(Code.NOT_FOUND),
    "a break": broken,
    "nobody saw it": unsent,
    "it was refused unread": refused,
    "a break after the head": lambda: answered(broken()),
    "time is up": late,
    "ask again soon": lambda: busy(pushback="30"),
    "ask again later": lambda: busy(pushback="5000"),
    "ask never again": lambda: busy(pushback="-1"),
}
outcomes = st.sampled_from(sorted(OUTCOMES))
MANNERS = [SAFE, IDEMPOTENT, NEVER]
SPECS = [
    {"retries": RetrySpec(base=0.02, minimum=1.0)},
    {"retries": RetrySpec(base=0.02, attempts=5, per_try_timeout=0.1)},
    {"hedging": HedgingSpec(delay=0.05, attempts=3)},
    {"hedging": HedgingSpec(), "retries": RetrySpec(base=0.02), "breaker": BreakerSpec(5, 5, 2)},
    {},
]


class Ejecting:
    """A record (`node.Record`) that takes a node out with the next that it hears of."""

    def __init__(self, node):
        self.node = node

    def ended(self, blame, seconds):
        self.node.take_out(Cause.OUTLIER, "the test says so")


class Calls(RuleBasedStateMachine):
    """Three endpoints, and callers that come and go."""

    def __init__(self):
        super().__init__()
        self.stage = Stage(3, balancing=BalancingSpec("least_request"))
        for endpoint in self.stage.endpoints:
            endpoint.clock = self.stage.clock
        self.callers = []

    def spec(self, changes):
        usual = {"retries": None, "hedging": None, "breaker": BreakerSpec()}
        return replace(self.stage.upstream.spec, **usual | changes)

    @property
    def waiting(self):
        return [asked for asked in self.stage.asked() if not asked.over]

    @property
    def open(self):
        return [each for each, _ in self.callers if not each.heard and not each.gone]

    @initialize(changes=st.sampled_from(SPECS))
    def begin(self, changes):
        self.stage.upstream.configure(self.spec(changes))

    @rule(manner=st.sampled_from(MANNERS), seconds=st.sampled_from([None, 0.0, 0.03, 0.2]))
    def call(self, manner, seconds):
        until = None if seconds is None else self.stage.clock.now + seconds
        self.callers.append((self.stage.call(manner, seconds), until))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), outcome=outcomes)
    def end(self, data, outcome):
        number = data.draw(st.integers(0, len(self.waiting) - 1))
        self.waiting[number].ends(OUTCOMES[outcome]())

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def cancel(self, data):
        data.draw(st.sampled_from(self.open)).leave()

    @rule(seconds=st.sampled_from([0.01, 0.05, 1.0]))
    def wait(self, seconds):
        self.stage.clock.advance(seconds)

    @rule(number=st.integers(0, 2), script=st.lists(outcomes, max_size=3))
    def prepare(self, number, script):
        self.stage.endpoints[number].script = [OUTCOMES[each]() for each in script]

    @rule(number=st.integers(0, 2), cause=st.sampled_from([Cause.HEALTH, Cause.OUTLIER]))
    def take_out(self, number, cause):
        list(self.stage.upstream.nodes.values())[number].take_out(cause, "the test says so")

    @rule(number=st.integers(0, 2), other=st.integers(0, 2))
    def watch(self, number, other):
        """From now on, when an attempt ends on one node, another is taken out."""
        nodes = list(self.stage.upstream.nodes.values())
        nodes[number].record = Ejecting(nodes[other])

    @rule(number=st.integers(0, 2))
    def bring_back(self, number):
        node = list(self.stage.upstream.nodes.values())[number]
        node.bring_back(Cause.HEALTH)
        node.bring_back(Cause.OUTLIER)

    @rule(number=st.integers(0, 2), state=st.sampled_from([State.READY, State.FAILING]))
    def become(self, number, state):
        self.stage.endpoints[number].become(state)

    @rule(changes=st.sampled_from(SPECS))
    def reload(self, changes):
        self.stage.upstream.configure(self.spec(changes))

    @invariant()
    def what_is_counted_is_what_there_is(self):
        upstream = self.stage.upstream
        assert upstream.breaker.requests == len(self.open)
        assert upstream.breaker.retries >= 0
        pending = [node.pending for node in upstream.nodes.values()]
        assert pending == [len(each.waiting) for each in self.stage.endpoints]
        movable = sum(len(node.movable) for node in upstream.nodes.values())
        assert movable <= sum(pending)
        if not self.open:
            self.stage.assert_nothing_is_left()

    @invariant()
    def a_call_that_waits_is_somewhere(self):
        assert len(self.open) <= len(self.waiting) + len(self.stage.upstream.alarms)

    @invariant()
    def no_call_is_open_past_its_deadline(self):
        now = self.stage.clock.now
        assert not [
            caller
            for caller, until in self.callers
            if caller in self.open and until is not None and until <= now
        ]

    @invariant()
    def every_attempt_has_a_reason(self):
        counts = self.stage.counts
        again = counts.retries + counts.hedges + counts.moved
        assert counts.attempts <= counts.calls - counts.refused + again + counts.unsent

    def teardown(self):
        for caller in self.open:
            caller.leave()
        self.stage.assert_nothing_is_left()


Calls.TestCase.settings = settings(max_examples=examples(2), stateful_step_count=40, deadline=None)
TestCalls = Calls.TestCase
