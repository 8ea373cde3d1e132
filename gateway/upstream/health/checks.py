"""A probe for each endpoint of an upstream, and what becomes of what they find.

An endpoint that is found not to be well takes no calls until it is found well again. One that joins
while others are known to be well takes none before it has answered once; where none is known to be
well, as at the start, it takes calls at once. Whether calls go to endpoints that are not well while
there are no others is the business of balancing.

At the start all are asked at once. Where others are known to be well there is time: many that join
together are asked one after the other.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from gateway.upstream.channel import State
from gateway.upstream.health.messages import Answer, Says
from gateway.upstream.health.probe import Probe, Times
from gateway.upstream.health.verdict import Health, Verdict
from gateway.upstream.later import Later, later
from gateway.upstream.node import Cause, Node
from gateway.upstream.spec import HealthSpec, UpstreamSpec

if TYPE_CHECKING:
    from gateway.upstream.upstream import Upstream

log = logging.getLogger("gateway.upstream")

_NOT_YET: Final = "it has not said yet how it is"


class HealthChecks:
    """Watches the health of an upstream's nodes (`gateway.upstream.upstream.Watcher`)."""

    def __init__(self, upstream: Upstream, later: Later = later) -> None:
        """Makes a watcher that watches nothing before it is configured.

        Args:
            upstream: Whose nodes.
            later: What has intervals end.
        """
        self._upstream = upstream
        self._times = Times(upstream.clock, upstream.random, later)
        self._spec: HealthSpec | None = None
        self._verdicts: dict[Node, Verdict] = {}
        self._probes: dict[Node, Probe] = {}
        self._ending: set[asyncio.Task[None]] = set()
        # Whether operators were told of an endpoint that can't be asked.
        self._told = False

    def configure(self, spec: UpstreamSpec) -> None:
        """See Watcher. What is known of endpoints stays known, while they are asked at all."""
        if spec.health == self._spec:
            return
        self._spec = spec.health
        self._told = False
        for node in self._verdicts:
            self._stop(node)
            if spec.health is not None:
                self._start(node, spec.health)
            else:
                self._verdicts[node] = Verdict()
                node.bring_back(Cause.HEALTH)

    def joined(self, node: Node) -> None:
        """See Watcher."""
        if self._spec is not None and self._any_well():
            node.take_out(Cause.HEALTH, _NOT_YET)
        self._verdicts[node] = Verdict()
        if self._spec is not None:
            self._start(node, self._spec)

    def gone(self, node: Node) -> None:
        """See Watcher."""
        self._stop(node)
        del self._verdicts[node]

    def heard(self, node: Node) -> None:
        """See Watcher."""
        probe = self._probes.get(node)
        if probe is not None:
            self._end(probe.connection(node.state))

    def checked(self, node: Node, *, well: bool) -> None:
        """See Watcher. It is this one that tells."""

    async def close(self) -> None:
        """See Watcher."""
        for node in self._verdicts:
            self._stop(node)
        if self._ending:
            await asyncio.wait(self._ending)

    def _any_well(self) -> bool:
        return any(
            verdict.health is Health.WELL and not node.out and node.state is State.READY
            for node, verdict in self._verdicts.items()
        )

    def _start(self, node: Node, spec: HealthSpec) -> None:
        verdict = self._verdicts[node]

        def heard(answer: Answer, sure: bool) -> None:  # noqa: FBT001  as Heard says
            self._answered(node, verdict, answer, sure=sure)

        first = 0.0
        if self._any_well():
            first = min(spec.interval, spec.timeout) * self._times.random()
        self._probes[node] = Probe(node.channel, spec, self._times, verdict, heard, first=first)

    def _stop(self, node: Node) -> None:
        probe = self._probes.pop(node, None)
        if probe is not None:
            self._end(probe.stop())

    def _end(self, ending: asyncio.Task[None] | None) -> None:
        """Keeps a Watch until it has ended."""
        if ending is not None:
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def _answered(self, node: Node, verdict: Verdict, answer: Answer, *, sure: bool) -> None:
        assert self._spec is not None, "a probe lives while there is something to ask"
        if answer.says is Says.UNIMPLEMENTED and not self._told:
            self._told = True
            log.warning(
                "backend %s: it has no grpc.health.v1: endpoints of upstream %s that have none are "
                "taken to be well while they answer at all",
                node.endpoint,
                self._upstream.name,
            )
        well = answer.says in (Says.WELL, Says.UNIMPLEMENTED)
        known = verdict.health
        changed = verdict.hear(self._spec, well=well, sure=sure)
        why = f"it {answer.why}"
        if changed and well:
            node.bring_back(Cause.HEALTH)
            if known is Health.NOT_WELL:
                log.info("backend %s: it is well again", node.endpoint)
        elif changed:
            node.take_out(Cause.HEALTH, why)
            log.warning("backend %s: it takes no calls: %s", node.endpoint, why)
        elif not well and Cause.HEALTH in node.out:
            # Once more: what panic has given it meanwhile is not to wait there either.
            node.take_out(Cause.HEALTH, why)
        if not well or verdict.health is Health.WELL:
            self._upstream.checked(node, well=well)
