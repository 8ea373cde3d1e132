"""From answers to a verdict: whether an endpoint is well. Pure; it knows no time.

One answer that is missing says little, so a verdict takes as many in a row as the config says. Two
answers are taken at once: the first good one of an endpoint of which nothing is known, and what a
server says by itself (Watch), which no lost packet can say.
"""

from __future__ import annotations

from enum import Enum

from gateway.upstream.spec import HealthSpec


class Health(Enum):
    """What is known of an endpoint's health."""

    UNKNOWN = "unknown"
    WELL = "well"
    NOT_WELL = "not well"


class Verdict:
    """What is known of one endpoint.

    Attributes:
        health: The verdict.
        row: How many answers in a row speak against it.
    """

    __slots__ = ("health", "row")

    def __init__(self) -> None:
        self.health = Health.UNKNOWN
        self.row = 0

    @property
    def doubtful(self) -> bool:
        """Whether answers have begun to speak against it: another should be had soon."""
        return self.row > 0

    def hear(self, spec: HealthSpec, *, well: bool, sure: bool = False) -> bool:
        """Takes an answer in; returns whether the verdict is another one now.

        Args:
            spec: How many answers it takes.
            well: What the answer says.
            sure: Whether a bad one is believed at once.
        """
        after = Health.WELL if well else Health.NOT_WELL
        if after is self.health:
            self.row = 0
            return False
        self.row += 1
        needed = spec.healthy_after if well else spec.unhealthy_after
        if (well and self.health is Health.UNKNOWN) or (sure and not well):
            needed = 1
        if self.row < needed:
            return False
        self.health, self.row = after, 0
        return True
