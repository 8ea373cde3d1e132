"""Methods whose calls change nothing, and settings that only they can have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from gateway.app.policy_of import is_for_all, listed, names_method
from gateway.config import Settings
from gateway.schema.method import Idempotency, Kind, MethodDescriptor
from gateway.upstream.manner import Repeats

if TYPE_CHECKING:
    from gateway.app.parts import Making
    from gateway.config.effective import Leaf


def is_repeatable(method: MethodDescriptor) -> bool:
    """Whether calls of a unary method change nothing, by what its proto or its rules say."""
    return method.kind is Kind.UNARY and (
        method.idempotency is Idempotency.NO_SIDE_EFFECTS
        or any(rule.verb == "GET" for rule in method.rules)
    )


def repeats_of(method: MethodDescriptor, settings: Settings) -> Repeats:
    """Returns what becomes of a call that is made twice, by proto, rules and policies.

    What a policy says comes first: `idempotent: false` takes back what the others say.
    """
    if settings.idempotent is False:
        return Repeats.NEVER
    verbs = {rule.verb for rule in method.rules}
    if method.idempotency is Idempotency.NO_SIDE_EFFECTS or "GET" in verbs:
        return Repeats.SAFE
    if (
        settings.idempotent
        or method.idempotency is Idempotency.IDEMPOTENT
        or verbs & {"PUT", "DELETE"}
    ):
        return Repeats.IDEMPOTENT
    return Repeats.NEVER


def left_out(making: Making, leaves: Sequence[Leaf], methods: Collection[str]) -> None:
    """Tells of methods with a setting that only repeatable ones can have.

    A policy that names such a method is wrong, and so is one that finds no other, unless it is for
    whatever methods come. One whose globs find others too leaves it out, which is noted.

    Args:
        making: What parts are made of; its `problems` and `notes` are added to.
        leaves: The setting's, any of which may be set.
        methods: Full names of those that have it.
    """
    places: dict[str | None, list[str]] = {}
    for name in sorted(making.descriptors.keys() & methods):
        leaf = _leaf(making, leaves, name)
        places.setdefault(making.settings[name].where(leaf), []).append(name)
    for found in places.values():
        wrong = [name for name in found if not is_repeatable(making.descriptors[name])]
        if not wrong:
            continue
        leaf = _leaf(making, leaves, wrong[0])
        settings = making.settings[wrong[0]]
        named = [name for name in wrong if names_method(making, leaf, name)]
        if named or (len(wrong) == len(found) and not is_for_all(making, leaf, wrong[0])):
            text = (
                f"calls of {listed(named or wrong)} may change something, or are streams; expected"
            )
            text += " unary methods with idempotency_level NO_SIDE_EFFECTS or a GET rule"
            making.problems.append(settings.mistake(leaf, text))
        else:
            text = f"without effect on {listed(wrong)}: calls may change something, or are streams"
            making.notes.append(settings.mistake(leaf, text))


def _leaf(making: Making, leaves: Sequence[Leaf], method: str) -> Leaf:
    """Returns the first part of a setting that is set for a method."""
    return next(each for each in leaves if each in making.settings[method].leaves)
