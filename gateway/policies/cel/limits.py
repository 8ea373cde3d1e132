"""What a condition may cost, in numbers.

cel-cpp itself bounds what an expression is (its nesting, 32) and how often its loops go round
(ROUNDS, nested ones together). It does not bound what goes round once, nor how deep a value is: one
that is nested some thousand times overflows its stack and ends the process.

Measured with the values that are worst for each (an AMD EPYC at 2.6 GHz): a loop of WORK units ends
within 0.1 s, whatever its round does: `request.numbers.all(n, n in request.numbers)` with 2.2 KB of
numbers takes 0.1 s, `id in claims.ids` with 10,000 ids in the request and 390 in the claims 15 ms.
To read a request comes on top, once, as for everything that a gateway reads: 4 MiB take 10 to 50 ms
and, of two million empty messages, 0.2 s. Maps are read at their worst (all keys in the order of
their hashes) in a time that grows with the square: 1 MiB takes 0.1 s, 4 MiB more than 1 s.
"""

from typing import Final

TEXT: Final = 4_096
"""Characters of a condition."""

DEPTH: Final = 32
"""Lists and maps within each other, of claims."""

NODES: Final = 2_000
"""Values of the claims that a condition reads, all lists and maps counted with what they hold."""

ROUNDS: Final = 10_000
"""How often all loops go round together: cel-cpp's `max_iterations`."""

WORK: Final = 2_000_000
"""Units of 50 ns that a condition may take, counted before by the sizes of what it reads (`work`):
the rounds of its loops times what a round looks at, texts times what is looked for in them."""

MAPPED: Final = 1024 * 1024
"""Bytes of a request that has maps."""
