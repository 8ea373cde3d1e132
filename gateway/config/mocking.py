"""How answers are made up: what `serve --mock` says on the command line, and no file does.

A config says the same of a gateway whether its backends are there or not, so nobody's production
can be a mock by a line that was left in a file.
"""

from dataclasses import dataclass

SEED = "0"


@dataclass(frozen=True, slots=True)
class Mocking:
    """How answers are made up.

    Attributes:
        seed: What all of them follow from.
        files: The folder of answers that somebody wrote; None for none.
        latency: How long an answer takes, in seconds: from the first to the second.
        errors: How many calls fail, in percent.
        interval: Seconds between two messages of a stream.
    """

    seed: str = SEED
    files: str | None = None
    latency: tuple[float, float] = (0.0, 0.0)
    errors: float = 0.0
    interval: float = 0.2
