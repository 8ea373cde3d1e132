"""What may be checked by rules, in numbers: beyond them a request is refused, not let through.

The library (protovalidate, native) takes about 10 µs for a small message and walks a message once
for its standard rules; its regular expressions are RE2 (4 MiB in 6 ms). It can't be interrupted,
and some things take far more than they look like. Measured (AMD EPYC, two cores):

- Each message within a request needs an object of Python: 50,000 in 15 ms, but 500,000 empty ones
  in 2.8 s and two million (4 MiB) in 45 s, where the addresses of all fall together in upb's table.
- Each broken rule costs 9 µs: four million elements that all break one, 120 s. So the first broken
  rule ends the check, unless the request is small enough to be told of all of them.
- `map` and `filter` of CEL copy their list at each step: 1,000 elements 10 ms, 10,000 2.5 s.
  cel-cpp ends one expression after 10,000 steps of its loops, but not the next one.
- A rule of CEL on a message that is nested in itself looks at all within, at each level: 10,000
  messages below 98 levels take 0.24 s.
- An Any within an Any is unpacked whole by CEL, at each level: 450 KB in 1.1 s, and the stack ends
  somewhere beyond.
- Maps whose keys all fall together are slow to read: 1 MiB in 0.11 s, 3.3 MiB in 1.4 s.
"""

from typing import Final, NamedTuple

TOLD: Final = 20
"""Broken rules that a client is told of."""

DESCRIPTION: Final = 500
"""Characters of what it is told of each: rules may put values of the request into it."""

ALL_TOLD: Final = 1_000
"""Messages and elements of a request of which all broken rules are looked for; of a larger one, the
first."""


class Most(NamedTuple):
    """The most that a request may have.

    Attributes:
        size: Bytes; None for any that the listener takes.
        messages: Messages within it.
        elements: Elements of its lists and maps, messages or not; None for any.
    """

    size: int | None
    messages: int
    elements: int | None


STANDARD: Final = Most(None, 50_000, None)
"""Where all rules are standard ones."""

WITH_MAPS: Final = Most(1 << 20, 50_000, None)
"""The same, of requests that have maps."""

WITH_CEL: Final = Most(256 << 10, 10_000, 10_000)
"""Where rules are written in CEL."""

WITH_LISTS: Final = Most(256 << 10, 2_000, 2_000)
"""Where these build lists, with map or filter."""

WITH_ANY: Final = Most(64 << 10, 2_000, 2_000)
"""Where there is CEL, and an Any at which it might look."""
