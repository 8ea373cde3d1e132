"""Rules that requests are held against (`validate: true`): which of them refuse more than before.

That a bound is tighter can be told of the standard rules with a number, and of lists of values.
Of what else has changed (expressions, patterns) nobody can tell by looking, so it is dangerous.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Final, TypeAlias

from gateway.app.compatibility.change import Change, Effect
from gateway.app.compatibility.reaching import Reaching
from gateway.app.surface.model import Field, Method, Rules, Surface

_Value: TypeAlias = "bool | int | float | str | tuple[str, ...]"

_MOST: Final = frozenset({"max_len", "max_bytes", "max_items", "max_pairs", "lt", "lte"})
_LEAST: Final = frozenset({"min_len", "min_bytes", "min_items", "min_pairs", "gt", "gte"})


class Validated:
    """Compares the rules of two surfaces.

    Args:
        old: What clients know.
        new: What they meet.
    """

    def __init__(self, old: Surface, new: Surface) -> None:
        self._changed = {
            name: changes
            for name in new.messages
            if name in old.messages and (changes := [*_of_message(name, old, new)])
        }
        self._known = _reaching(old, self._changed)
        self._met = _reaching(new, self._changed)
        self._ruled = _reaching(new, {*filter(partial(_has_rules, new), new.messages)})

    def changes(self, name: str, old: Method, new: Method) -> Iterator[Change]:
        """Yields what has changed in the rules of a method's requests.

        Args:
            name: Its full name.
            old: It, as clients know it.
            new: As they meet it.
        """
        if not new.validated:
            return
        if not old.validated:
            if any(self._ruled.of([new.input])):
                message = "requests are held against the rules of their type, and were not"
                yield Change("validation.enforced", Effect.DANGEROUS, name, message, name)
            return
        known = set(self._known.of([old.input]))
        for message_type in self._met.of([new.input]):
            if message_type in known:
                yield from self._changed[message_type]


def _reaching(surface: Surface, names: Collection[str]) -> Reaching[str, str]:
    """Returns what finds those of some message types that a type holds, or is."""

    def look(name: str) -> tuple[list[str], list[str]]:
        fields = surface.messages[name].fields
        held = [each.of for each in fields if each.type in ("message", "group")]
        return [name] if name in names else [], held

    return Reaching(look)


def _has_rules(surface: Surface, name: str) -> bool:
    message = surface.messages[name]
    return bool(message.rules) or any(each.rules for each in message.fields)


def _of_message(name: str, before: Surface, now: Surface) -> Iterator[Change]:
    old, new = before.messages[name], now.messages[name]
    yield from _rules(name, old.rules, new.rules)
    known = {each.name: each for each in old.fields}
    for each in new.fields:
        subject = f"{name}.{each.name}"
        if each.name in known:
            yield from _rules(subject, known[each.name].rules, each.rules)
        else:
            yield from _of_new_field(subject, each)


def _of_new_field(subject: str, new: Field) -> Iterator[Change]:
    """Yields what rules of a field do that clients do not know: they send its default."""
    if new.rules.get("required") is True:
        yield _tightened(subject, "required", "is new: requests without the field are refused")
    elif new.rules:
        rules = ", ".join(new.rules)
        message = f"is new, and has rules that its default may not keep to ({rules})"
        yield Change("validation.rule-changed", Effect.DANGEROUS, subject, message, subject)


def _rules(subject: str, old: Rules, new: Rules) -> Iterator[Change]:
    for path, now in new.items():
        before = old.get(path)
        if now in (before, False):
            continue
        if before is None:
            yield _tightened(subject, path, f"is new: {_text(now)}")
            continue
        told = f"was {_text(before)} and is {_text(now)}"
        tighter = _is_tighter(path.rpartition(".")[2], before, now)
        if tighter:
            yield _tightened(subject, path, told)
        elif tighter is None:
            message = f"the rule {path} {told}: whether it refuses more can't be told"
            rule = "validation.rule-changed"
            yield Change(rule, Effect.DANGEROUS, f"{subject} {path}", message, subject)


def _tightened(subject: str, path: str, told: str) -> Change:
    message = f"the rule {path} {told}"
    rule = "validation.rule-tightened"
    return Change(rule, Effect.BREAKING, f"{subject} {path}", message, subject)


def _is_tighter(name: str, before: _Value, now: _Value) -> bool | None:
    """Whether a rule refuses more than it did; None where that can't be told."""
    if isinstance(before, tuple) and isinstance(now, tuple):
        if name == "in":
            return not set(before) <= set(now)
        return not set(now) <= set(before) if name == "not_in" else None
    if isinstance(before, bool):
        return not before
    numbers = _number(before), _number(now)
    if None in numbers or name not in _MOST | _LEAST:
        return None
    first, second = numbers
    assert first is not None, "see above"
    assert second is not None, "see above"
    return second < first if name in _MOST else second > first


def _number(value: _Value) -> float | None:
    """Returns a number, or the seconds of a duration (`1.5s`); None for anything else.

    ProtoJSON writes 64-bit integers as texts.
    """
    try:
        return float(value.removesuffix("s") if isinstance(value, str) else str(value))
    except ValueError:
        return None


def _text(value: _Value) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else str(value)
