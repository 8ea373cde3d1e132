"""Names of gRPC status codes."""

from __future__ import annotations

from typing import Final

from gateway.call import Code

_NAMES: Final = {int(code): code.name for code in Code}


def name_of(code: int) -> str:
    """Returns a code's name, `NOT_FOUND`; of one that there is not, its number."""
    return _NAMES.get(code) or str(int(code))
