"""A tally for each endpoint of an upstream, and what becomes of what is counted.

What is too bad is put out at once for failures in a row, and at each interval for rates; intervals
also let in again whose time is over. An endpoint is put out only while there is another one that
takes calls, and let in again at once when no other does: one that fails is better than none.
Health checks that see it recover let it in too.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gateway.upstream.blame import PATIENCE
from gateway.upstream.later import Later, Timer, later
from gateway.upstream.node import Cause, Node
from gateway.upstream.outliers.ejection import Ejection, most
from gateway.upstream.outliers.rates import outliers
from gateway.upstream.outliers.tally import Tally
from gateway.upstream.spec import OutlierSpec, RetrySpec, UpstreamSpec

if TYPE_CHECKING:
    from gateway.upstream.upstream import Upstream

log = logging.getLogger("gateway.upstream")


class Outliers:
    """Watches how the calls of an upstream's nodes end (`gateway.upstream.upstream.Watcher`)."""

    def __init__(self, upstream: Upstream, later: Later = later) -> None:
        """Makes a watcher that watches nothing before it is configured.

        Args:
            upstream: Whose nodes.
            later: What has intervals end.
        """
        self._clock = upstream.clock
        self._later = later
        self._spec: OutlierSpec | None = None
        self._patience = PATIENCE
        self._ejections: dict[Node, Ejection] = {}
        self._tallies: dict[Node, Tally] = {}
        self._out = 0
        self._timer: Timer | None = None

    def configure(self, spec: UpstreamSpec) -> None:
        """See Watcher. Who is out stays out, as far as the new bounds have it."""
        self._patience = _patience(spec.retries)
        for node in self._ejections:
            node.patience = self._patience
        if spec.outliers == self._spec:
            return
        self._spec = spec.outliers
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._spec is None:
            self._forget()
            return
        for node in self._ejections:
            self._count(node)
        self._keep_share(self._spec)
        self._timer = self._later(self._spec.interval, self._sweep)

    def joined(self, node: Node) -> None:
        """See Watcher."""
        self._ejections[node] = Ejection()
        node.patience = self._patience
        if self._spec is not None:
            self._count(node)

    def gone(self, node: Node) -> None:
        """See Watcher."""
        node.record = None
        self._tallies.pop(node, None)
        if self._ejections.pop(node).since is not None:
            self._out -= 1
        if self._spec is not None:
            self._keep_share(self._spec)
            self._keep_one()

    def heard(self, node: Node) -> None:
        """See Watcher."""
        if node.broken:
            self._ails(node)
            self._keep_one()

    def checked(self, node: Node, *, well: bool) -> None:
        """See Watcher."""
        if not well:
            self._ails(node)
        elif (ejection := self._ejections.get(node)) is not None and ejection.passed():
            self._let_in(node, ejection)

    async def close(self) -> None:
        """See Watcher."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ails(self, node: Node) -> None:
        ejection = self._ejections.get(node)  # none of one that is closing
        if ejection is not None:
            ejection.ailing = True

    def _count(self, node: Node) -> None:
        if node not in self._tallies:
            tally = Tally(self._clock, lambda row: self._failed(node, row))
            self._tallies[node] = node.record = tally

    def _forget(self) -> None:
        for node, ejection in self._ejections.items():
            node.record = None
            if ejection.since is not None:
                self._let_in(node, ejection)
            ejection.times = 0
        self._tallies.clear()

    def _failed(self, node: Node, row: int) -> None:
        spec = self._spec
        if spec is not None and spec.consecutive_errors and row >= spec.consecutive_errors:
            self._put_out(node, spec, f"{row} of its calls failed in a row", curable=True)

    def _sweep(self) -> None:
        spec = self._spec
        assert spec is not None, "there is no timer while nothing is looked for"
        self._timer = self._later(spec.interval, self._sweep)
        now = self._clock()
        counts = {node: tally.take() for node, tally in self._tallies.items()}
        for node, why in outliers(counts, spec).items():
            self._put_out(node, spec, why)
        for node, ejection in self._ejections.items():
            if ejection.since is None:
                ejection.rest()
            elif now >= ejection.until(spec):
                self._let_in(node, ejection)
        self._keep_one()

    def _put_out(self, node: Node, spec: OutlierSpec, why: str, *, curable: bool = False) -> None:
        ejection = self._ejections[node]
        if ejection.since is not None or node.out or self._out >= most(spec, len(self._ejections)):
            return
        if not any(other.works for other in self._ejections if other is not node):
            return
        ejection.begin(self._clock(), curable=curable)
        self._out += 1
        node.ejections += 1
        log.warning(
            "backend %s: it takes no calls for %g s: %s",
            node.endpoint,
            ejection.seconds(spec),
            why,
        )
        node.take_out(Cause.OUTLIER, why)

    def _let_in(self, node: Node, ejection: Ejection) -> None:
        ejection.end()
        self._out -= 1
        if node in self._tallies:
            self._tallies[node].forget()
        node.bring_back(Cause.OUTLIER)
        log.info("backend %s: it may take calls again", node.endpoint)

    def _keep_one(self) -> None:
        """Lets in who was put out and can be reached, where nobody else takes calls."""
        watching = self._timer is not None
        if watching and self._out and not any(node.works for node in self._ejections):
            for node, ejection in self._ejections.items():
                if list(node.out) == [Cause.OUTLIER] and not node.broken:
                    self._let_in(node, ejection)

    def _keep_share(self, spec: OutlierSpec) -> None:
        """Lets in those who would be next, while more are out than may be of those there are."""
        over = self._out - most(spec, len(self._ejections))
        if over > 0:
            out = [(node, each) for node, each in self._ejections.items() if each.since is not None]
            for node, ejection in sorted(out, key=lambda pair: pair[1].until(spec))[:over]:
                self._let_in(node, ejection)


def _patience(retries: RetrySpec | None) -> float:
    """Returns how long an attempt must have had for its deadline to say something."""
    if retries is None or retries.per_try_timeout is None:
        return PATIENCE
    # A timer may come as early as clocks are coarse.
    return min(PATIENCE, retries.per_try_timeout * 0.99)
