"""Which values of a config let clients do more than others did. Pure.

It looks at each value by itself, before the values of a section are told as one: a section that
goes can take with it what kept clients out. Who may call a method is `callers`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.app.effects import networks
from gateway.config.named import is_below
from gateway.config.values import Key, Value

_REQUIRED: Final[Mapping[Key, Value]] = {
    ("listener", "tls", "client_certificate"): "required",
}
"""Values in whose place any other lets clients do more, and none does too."""

_STRICT: Final[Mapping[Key, Value]] = {
    ("graphql", "trusted_only"): "true",
}
"""Values in whose place any other lets clients do more; where there is none, nothing is served."""

_AUDIENCES: Final[tuple[Key, ...]] = (
    ("auth", "providers", "*", "jwt", "audiences"),
    ("auth", "providers", "*", "introspection", "audiences"),
)
_ALLOWED: Final[Key] = ("addresses", "allow")
_DENIED: Final[Key] = ("addresses", "deny")


def opens(key: Key, was: Value | None, becomes: Value | None) -> bool:
    """Whether a value lets more clients in, or lets them do more, than what stood there before.

    Args:
        key: Where it stands.
        was: What stood there; None where nothing did.
        becomes: What stands there now; None where nothing does.
    """
    if key in _REQUIRED:
        return was == _REQUIRED[key] != becomes
    if key in _STRICT:
        return becomes is not None and was == _STRICT[key] != becomes
    if isinstance(was, tuple) and isinstance(becomes, tuple):
        return _lets_in_more(key, was, becomes)
    return False


def _lets_in_more(key: Key, was: tuple[str, ...], becomes: tuple[str, ...]) -> bool:
    """Whether a list of what is asked for, or refused, does; what asks for nothing lets in all."""
    if key == _DENIED:
        return networks.more(becomes, was)
    if key == _ALLOWED:
        return bool(was) and (not becomes or networks.more(was, becomes))
    if is_below(key, _AUDIENCES):
        return bool(was) and (not becomes or bool(set(becomes) - set(was)))
    return False
