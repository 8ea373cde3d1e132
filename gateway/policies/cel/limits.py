"""What a condition may cost, in numbers.

cel-cpp itself bounds what an expression is (its nesting, 32) and how often its loops go round
(ROUNDS, nested ones together). It does not bound what goes round once, nor how deep a value is: one
that is nested some thousand times overflows its stack and ends the process.

Measured with the values that are worst for each (AMD EPYC, two cores): what is counted as WORK or
less ended within 0.1 s, whatever it was: `n in request.numbers` for each of 2,200 numbers of a
request in 60 ms, `id in claims.ids` for 10,000 ids in a request and 400 in the claims in 31 ms.
To read a request comes on top, once, as for all that a gateway reads: 4 MiB take 10 to 50 ms and,
of two million empty messages, 0.2 s. Maps at their worst (all keys in the order of their hashes)
are read in a time that grows faster than they do: 1 MiB took 0.11 s, 3.3 MiB 1.4 s.
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
