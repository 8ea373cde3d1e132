"""The values of two configs, compared, in words: all that is not told as what it does to methods.

What of it lets clients do more is `openings`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import SecretStr

from gateway.app.effects.effect import Effect, clipped, listed
from gateway.app.effects.facts import Facts
from gateway.app.effects.openings import opens
from gateway.app.effects.unseen import JOINS
from gateway.config.named import is_below
from gateway.config.values import Key, Value

_PROVIDERS: Final[Key] = ("auth", "providers")
_TLS: Final[Key] = ("listener", "tls")

_NAMED: Final = {
    ("upstreams",): "upstream",
    _PROVIDERS: "provider",
    ("plans",): "plan",
    ("hosts",): "host",
}
"""Sections under names of the operator's own: one that comes or goes is told as a whole."""

_SWITCHED: Final = {
    ("rest",): "REST",
    ("graphql",): "GraphQL",
    ("websocket",): "WebSocket",
    ("usage",): "usage",
    ("telemetry", "access_log"): "access log",
    ("telemetry", "tracing"): "tracing",
    ("telemetry", "recorder"): "flight recorder",
    ("admin",): "admin listener",
    _TLS: "TLS of the listener",
}
"""Sections that can be absent, and what each is called."""

_TOLD_OTHERWISE: Final[tuple[Key, ...]] = (
    ("policies",),
    ("schema",),
    ("upstreams", "*", "services"),
    ("pages", "authenticate"),
    ("graphql", "joins"),
    ("graphql", "operations"),
    ("graphql", "naming"),
    ("graphql", "names"),
    ("graphql", "services"),
    ("graphql", "methods"),
    ("graphql", "fields"),
    ("graphql", "oneofs"),
)
"""What shows in methods, routes, the graph and who may call."""

_LATER: Final[tuple[Key, ...]] = (("listener", "address"), ("workers",), ("admin",))
"""What a reload does not change."""

_NOTHING: Final = (None, "none")
"""A section that is not there, as a value of its own or for want of its values."""


def values(before: Facts, after: Facts) -> Iterator[Effect]:
    """Yields what differs, in the order of the keys.

    A section that comes or goes is told as a whole, and beside it what of it opens something.
    """
    one, other = _told(before.values), _told(after.values)
    whole = dict(_wholes(one, other))
    yield from whole.values()
    for key in dict.fromkeys([*one, *other]):
        was, becomes = one.get(key), other.get(key)
        if was == becomes or (was in _NOTHING and becomes in _NOTHING):
            continue
        if opens(key, was, becomes) or not any(key[: len(each)] == each for each in whole):
            yield _of_value(key, was, becomes, other)
    for key in sorted(before.contents.keys() & after.contents.keys()):
        if key != JOINS and before.contents[key] != after.contents[key]:
            yield Effect("file", f"{_called(key)}: its file has changed", (".".join(key),))


def _told(given: Mapping[Key, Value]) -> dict[Key, Value]:
    return {key: value for key, value in given.items() if not is_below(key, _TOLD_OTHERWISE)}


def _wholes(one: Mapping[Key, Value], other: Mapping[Key, Value]) -> Iterator[tuple[Key, Effect]]:
    """Yields sections that come or go, each with its key."""
    for prefix, noun in _NAMED.items():
        size = len(prefix) + 1
        was, becomes = (
            {key[:size] for key in given if key[: len(prefix)] == prefix} for given in (one, other)
        )
        for how, keys in (("added", becomes - was), ("removed", was - becomes)):
            for key in sorted(keys):
                yield key, Effect(f"{noun}-{how}", f"{noun} {key[-1]} {how}", (".".join(key),))
    for prefix, noun in _SWITCHED.items():
        was_on, is_on = (
            any(key[: len(prefix)] == prefix and len(key) > len(prefix) for key in given)
            for given in (one, other)
        )
        if was_on != is_on:
            text = f"{noun} is now {'on' if is_on else 'off'}"
            later = prefix in {("admin",), _TLS}
            yield prefix, Effect("section", text, (".".join(prefix),), later=later)
    was_of, is_of = _kinds(one), _kinds(other)
    for key in was_of.keys() & is_of.keys():
        if was_of[key] != is_of[key]:
            # Whom it knows now has nothing to do with whom it knew.
            text = f"provider {key[-1]} knows other callers: {was_of[key]} → {is_of[key]}"
            yield key, Effect("provider-kind", text, (".".join(key),), opens=True)


def _kinds(given: Mapping[Key, Value]) -> dict[Key, str]:
    """Returns of what kind each provider is, by its key."""
    size = len(_PROVIDERS)
    return {
        key[: size + 1]: key[size + 1]
        for key in given
        if key[:size] == _PROVIDERS and len(key) > size + 2
    }


def _of_value(
    key: Key, was: Value | None, becomes: Value | None, now: Mapping[Key, Value]
) -> Effect:
    name, called = ".".join(key), _called(key)
    later = (
        is_below(key, _LATER)
        or (key == ("limits", "keys") and now.get(("workers",)) not in {"1", None})
        or (is_below(key, (_TLS,)) and becomes is None)  # it goes as a whole, or not at all
    )
    if isinstance(was, SecretStr) or isinstance(becomes, SecretStr):
        return Effect("value", f"{called} changed", (name,), later=later)
    if isinstance(was, tuple) and isinstance(becomes, tuple):
        text = f"{called}: {_items(was, becomes)}"
    else:
        text = f"{called} {_text(was)} → {_text(becomes)}"
    return Effect("value", text, (name,), opens=opens(key, was, becomes), later=later)


def _items(was: tuple[str, ...], becomes: tuple[str, ...]) -> str:
    said = [
        *(f"+{each}" for each in becomes if each not in was),
        *(f"-{each}" for each in was if each not in becomes),
    ]
    return listed(said) if said else "another order"


def _text(value: Value | None) -> str:
    match value:
        case None:
            return "none"
        case tuple():
            return f"[{listed(value)}]"
        case _:
            return clipped(str(value))


def _called(key: Key) -> str:
    """Returns what to call a key: `upstream catalog: timeout`, `listener.limits.connections`."""
    for prefix, noun in _NAMED.items():
        size = len(prefix)
        if key[:size] == prefix and len(key) > size + 1:
            return f"{noun} {key[size]}: {'.'.join(key[size + 1 :])}"
    return ".".join(key)
