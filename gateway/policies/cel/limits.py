"""What a condition may cost, in numbers.

cel-cpp itself bounds what an expression is (its nesting, 32) and how often its loops go round
(10,000 times an evaluation, nested ones together). It does not bound what goes round once, nor how
deep a value is: one that is nested some thousand times overflows its stack and ends the process.
"""

from typing import Final

TEXT: Final = 4_096
"""Characters of a condition."""

DEPTH: Final = 32
"""Lists and maps within each other, of claims."""

NODES: Final = 2_000
"""Values of the claims that a condition reads, all lists and maps counted with what they hold."""

LOOPED_MESSAGE: Final = 8 * 1024
"""Bytes of a request, where a loop's round looks at more of it than its own element (as in
`request.a.all(x, x in request.b)`): some tenths of a second at the very worst, when both go through
thousands of elements of one byte. All else takes time in proportion to the request."""
