"""Which templates of tags each method has: those that fit its requests.

A policy's globs may find methods of which only some have the fields that a template names. The
others go without it, which is noted: their replies are not what it is meant for. One that fits none
is wrong, and so is one that does not fit a method which the policy names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gateway.app.policy_of import listed, names_method
from gateway.config.effective import TAGS
from gateway.policies.cache.tags import TagError, Tags

if TYPE_CHECKING:
    from gateway.app.parts import Making


def tags_of(making: Making, methods: Iterable[str]) -> Mapping[str, Tags]:
    """Returns the tags of methods; adds to `making.problems` and `making.notes`.

    Args:
        making: What parts are made of.
        methods: Full names of those that keep replies.
    """
    fits: dict[str, list[str]] = {name: [] for name in methods}
    well: set[tuple[str | None, str]] = set()
    wrong: dict[tuple[str | None, str], list[tuple[str, TagError]]] = {}
    for name, fitting in fits.items():
        settings = making.settings[name]
        for template in settings.tags:
            said = settings.where(TAGS), template
            try:
                Tags([template], making.registry.message(making.descriptors[name].input))
            except TagError as error:
                wrong.setdefault(said, []).append((name, error))
            else:
                well.add(said)
                fitting.append(template)
    for said, failures in wrong.items():
        named = [each for each in failures if names_method(making, TAGS, each[0])]
        told = named or failures
        settings, of = making.settings[told[0][0]], listed([name for name, _ in told])
        if named or said not in well:
            making.problems.append(settings.mistake(TAGS, f"{told[0][1]} ({of})"))
        else:
            text = f"{said[1]} is no tag of methods whose requests lack its fields ({of})"
            making.notes.append(settings.mistake(TAGS, text))
    return {
        name: Tags(fitting, making.registry.message(making.descriptors[name].input))
        for name, fitting in fits.items()
    }
