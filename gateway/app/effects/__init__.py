"""What a new config changes in effect, in words: for the log of a reload, and for `gateway diff`.

`facts` takes what holds out of a generation, as plain data; `comparing` finds what differs between
two of them. Neither looks at a running gateway, so the words are the same before and after.
"""

from gateway.app.effects.comparing import effects, effects_of
from gateway.app.effects.effect import Effect, bounded
from gateway.app.effects.facts import Facts, facts_of

__all__ = ["Effect", "Facts", "bounded", "effects", "effects_of", "facts_of"]
