"""What the cache did for a call, as is noted of it (`gateway.record.CallRecord.cached`)."""

from __future__ import annotations

from typing import Final

HIT: Final = "hit"
"""What is kept was the answer."""

STALE: Final = "stale"
"""What is kept was the answer though its time is over."""

MISS: Final = "miss"
"""It was made, for itself and all that joined it."""

COALESCED: Final = "coalesced"
"""It waited for an equal one that was under way."""
