"""Close codes of the multiplexed form (docs/websocket.md, "Close codes").

4000 to 4199 mean: connect again; 4200 to 4299 are the plain form's; 4400 and up: don't.
"""

from __future__ import annotations

from typing import Final

AWAY: Final = 4000
TOO_SLOW: Final = 4001
NO_PONG: Final = 4002
TOKEN_EXPIRED: Final = 4003
BAD_FRAME: Final = 4400
UNAUTHENTICATED: Final = 4401
FORBIDDEN: Final = 4403
NO_HELLO: Final = 4408
ID_USED: Final = 4409
TOO_LARGE: Final = 4413
TOO_MANY: Final = 4429
