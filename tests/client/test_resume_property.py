"""Sessions that break at any moment: nothing is lost, nothing comes twice, and little is kept.

A session and the model of a server, with a wire between them that delivers frames when it is told,
and breaks when it is told. At the end all is delivered, and both sides must have the whole of what
the other has sent, in order.
"""

from __future__ import annotations

from collections import deque
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from gateway.client.connection import _coming_back
from gateway.client.exchange import Exchange, Opening, Phase
from gateway.client.frames import Hello
from gateway.client.session import CANCELLED, Session
from tests.client.model import LIMITS, Server
from tests.examples import examples

CREDIT = 3


class User:
    """One call at the client, and what it has seen."""

    def __init__(self, number: int) -> None:
        self.exchange = Exchange(Opening(f"a.B/{number}", credit=CREDIT), self.changed)
        self.wants: int | None = None  # bytes of a message that waits for room
        self.called = False  # since it began to wait
        self.sent: list[bytes] = []
        self.taken: list[bytes] = []
        self.produced: list[bytes] = []  # by the backend
        self.ended = False

    def changed(self) -> None:
        self.called = True


class World:
    """Both sides and the wire."""

    def __init__(self) -> None:
        self.server = Server()
        self.waiting: deque[Exchange] = deque()
        self.wire: deque | None = deque()  # from the client; None is no socket
        self.users: list[User] = []
        self.session = Session(self.server.hello(Hello(resume=True)), self.waiting)
        self.number = 0

    # Moves, of users, backends and the wire.

    def open(self) -> None:
        user = User(len(self.users))
        self.users.append(user)
        self.waiting.append(user.exchange)

    def send(self, user: User, size: int) -> None:
        """Has a user send; a message that must wait is sent by `send_again`."""
        if user.wants is None:
            user.wants = size
            user.called = True
            self.send_again(user)

    def send_again(self, user: User) -> bool:
        """Has a user who was called try again to send what waits."""
        exchange, size = user.exchange, user.wants
        if size is None or not user.called:
            return False
        user.called = False
        if exchange.phase is not Phase.OPEN or exchange.closed:
            self.withdraw(user)
            return True
        if not exchange.sending.ask(size):
            return False
        self.number += 1
        body = (b"%08d" % self.number).ljust(size, b".")
        user.sent.append(body)
        user.wants = None
        self.session.send(exchange, body, end=False)
        return True

    def withdraw(self, user: User) -> None:
        """Has a user give up what waits."""
        user.wants = None
        user.exchange.sending.withdraw()

    def half_close(self, user: User) -> None:
        if user.exchange.phase is Phase.OPEN and not user.exchange.closed:
            self.session.send(user.exchange, None, end=True)
            self.withdraw(user)

    def take(self, user: User) -> None:
        if user.exchange.inbox:
            user.taken.append(self.session.take(user.exchange))

    def cancel(self, user: User) -> None:
        if user.exchange.phase is Phase.OPEN:
            self.session.cancel(user.exchange, CANCELLED)

    def backend_takes(self, user: User) -> bool:
        return self.server.take(user.exchange.id)

    def backend_replies(self, user: User) -> None:
        if user.exchange.id in self.server.streams and not user.ended:
            self.number += 1
            body = b"%d" % self.number
            user.produced.append(body)
            self.server.reply(user.exchange.id, body)

    def backend_ends(self, user: User) -> None:
        if user.exchange.id in self.server.streams:
            user.ended = True
            self.server.end(user.exchange.id)

    def write(self) -> bool:
        """Has the client write a frame."""
        if self.wire is None:
            return False
        frame = self.session.next_frame(0.0)
        if frame is not None:
            self.wire.append(frame)
        return frame is not None

    def deliver_up(self) -> bool:
        if not self.wire:
            return False
        self.server.receive(self.wire.popleft())
        return True

    def deliver_down(self) -> bool:
        if self.wire is None or not self.server.out:
            return False
        self.session.receive(self.server.out.popleft())
        return True

    def cut(self) -> None:
        """Breaks the socket: what was on its way is gone."""
        if self.wire is not None:
            self.wire = None
            self.server.out.clear()

    def come_back(self, *, cancel: User | None = None) -> None:
        """Connects again; a user may leave while the welcome is on its way."""
        if self.wire is not None:
            return
        named = self.session.going_on()
        welcome = self.server.hello(_coming_back(None, self.session, named))
        if cancel is not None:
            self.cancel(cancel)
        self.wire = deque()
        self.session.resume_with(welcome, named)

    def settle(self) -> None:
        """Delivers all, takes all, ends all."""
        self.come_back()
        for _ in range(10_000):
            moved = self.write() | self.deliver_up() | self.deliver_down()
            for user in self.users:
                moved |= bool(user.exchange.inbox)
                self.take(user)
                moved |= self.send_again(user)
                moved |= self.backend_takes(user)
            if not moved:
                break
        else:
            raise AssertionError("it never comes to rest")

    # What holds.

    def check_bounds(self) -> None:
        for user in self.users:
            exchange = user.exchange
            assert len(exchange.inbox) <= CREDIT
            kept = len(exchange.outbox) + len(exchange.unacknowledged)
            assert kept <= 2 * LIMITS.credit + 1  # on the way, granted but not told; and the end
            assert user.taken == user.produced[: len(user.taken)]
        for stream in self.server.streams.values():
            assert len(stream.kept) <= 2 * CREDIT + 2

    def check_whole(self) -> None:
        for user in self.users:
            exchange = user.exchange
            assert user.wants is None, "all find room in the end"
            if exchange.status is CANCELLED:
                continue
            assert user.taken == user.produced
            if user.ended:
                assert exchange.status is not None
                assert exchange.status.ok
            else:
                assert exchange.phase is Phase.OPEN
                assert self.server.streams[exchange.id].got == user.sent
                assert not exchange.outbox


users = st.integers(0, 3)


class Cuts(RuleBasedStateMachine):
    """Whatever order things happen in."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        for _ in range(4):
            self.world.open()
        for _ in range(4):
            self.world.write()
            self.world.deliver_up()

    def user(self, which: int) -> User:
        return self.world.users[which]

    @rule(which=users, size=st.sampled_from([8, 12, 25, 40, 60]))
    def send(self, which, size):
        self.world.send(self.user(which), size)

    @rule(which=users)
    def send_again(self, which):
        self.world.send_again(self.user(which))

    @rule(which=users)
    def withdraw(self, which):
        self.world.withdraw(self.user(which))

    @rule(which=users)
    def half_close(self, which):
        self.world.half_close(self.user(which))

    @rule(which=users)
    def take(self, which):
        self.world.take(self.user(which))

    @rule(which=users)
    def cancel(self, which):
        self.world.cancel(self.user(which))

    @rule(which=users)
    def backend_takes(self, which):
        self.world.backend_takes(self.user(which))

    @rule(which=users, count=st.integers(1, 5))
    def backend_replies(self, which, count):
        for _ in range(count):
            self.world.backend_replies(self.user(which))

    @rule(which=users)
    def backend_ends(self, which):
        self.world.backend_ends(self.user(which))

    @rule(count=st.integers(1, 6))
    def write(self, count):
        for _ in range(count):
            self.world.write()

    @rule(count=st.integers(1, 6))
    def deliver_up(self, count):
        for _ in range(count):
            self.world.deliver_up()

    @rule(count=st.integers(1, 6))
    def deliver_down(self, count):
        for _ in range(count):
            self.world.deliver_down()

    @rule()
    def cut(self):
        self.world.cut()

    @precondition(lambda self: self.world.wire is None)
    @rule(leaver=st.none() | users)
    def come_back(self, leaver):
        self.world.come_back(cancel=None if leaver is None else self.user(leaver))

    @precondition(lambda self: len(self.world.users) < 8)
    @rule()
    def open(self):
        self.world.open()

    @invariant()
    def bounded(self):
        if hasattr(self, "world"):
            self.world.check_bounds()

    def teardown(self):
        if hasattr(self, "world"):
            self.world.settle()
            self.world.check_whole()


TestCuts = Cuts.TestCase
TestCuts.settings = settings(max_examples=examples(2), stateful_step_count=60, deadline=None)


@pytest.mark.parametrize("seed", range(3))
def test_ten_thousand_messages_over_two_hundred_cuts(seed):
    world, random = World(), Random(seed)
    for _ in range(4):
        world.open()
    while any(user.exchange.phase is Phase.WAITING for user in world.users):
        world.write()
        world.deliver_up()
    cuts = 0
    while sum(len(user.sent) + len(user.taken) for user in world.users) < 10_000 or cuts < 200:
        user = random.choice(world.users)
        world.send(user, random.choice([8, 20]))
        if len(user.produced) - len(user.taken) < 10:
            world.backend_replies(user)
        for move in (world.write, world.deliver_up, world.deliver_down):
            for _ in range(random.randrange(4)):
                move()
        world.take(user)
        world.backend_takes(user)
        world.send_again(user)
        world.check_bounds()
        if random.random() < 0.01:
            world.cut()
            cuts += 1
        if world.wire is None and random.random() < 0.5:
            world.come_back()
    world.settle()
    world.check_whole()


@given(st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=examples(), deadline=None)
def test_an_open_that_never_arrived_is_made_again_and_one_that_did_is_not(opens, arrived):
    world = World()
    for _ in range(min(opens, LIMITS.streams)):
        world.open()
    while world.write():
        pass
    for _ in range(arrived):
        world.deliver_up()
    world.cut()
    world.settle()
    assert world.server.last_id == min(opens, LIMITS.streams)
    world.check_whole()
