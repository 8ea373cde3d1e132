"""From `policies[].route`, `split` and `mirror` to what sends calls, and copies, to upstreams.

What chooses among them stands in front of the cache (`choice`); this stands behind it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gateway.app.lasting import Taken
from gateway.app.policy_of import listed, names_method
from gateway.app.repeatable import is_repeatable
from gateway.app.timeouts import timeout_to
from gateway.chain import Method, Policy
from gateway.config import Settings
from gateway.config.effective import MIRROR
from gateway.policies.elsewhere import Elsewhere
from gateway.policies.mirror import Copies, Mirror
from gateway.schema.method import Kind, MethodDescriptor

if TYPE_CHECKING:
    from gateway.app.parts import Making


class Ways(NamedTuple):
    """What makes the ways of a method's calls to upstreams, by their names.

    Attributes:
        calls: For calls.
        copies: For copies of calls, which are made once.
    """

    calls: Callable[[str], Method]
    copies: Callable[[str], Method]


class Onward:
    """Makes what sends a method's calls, and copies of them, to other upstreams than its own.

    Args:
        making: What it is made of; `problems` and `notes` are added to.
    """

    def __init__(self, making: Making) -> None:
        self._making = making
        _tell_of_copies(making)

    def policies(
        self, descriptor: MethodDescriptor, settings: Settings, own: str, ways: Ways
    ) -> Sequence[Policy]:
        """Returns what the calls of a method pass, in order.

        Args:
            descriptor: What the proto says of it.
            settings: What holds for it.
            own: Its service's own upstream.
            ways: Makes the ways to others.
        """
        policies: list[Policy] = []
        others = [name for name in settings.upstreams if name != own]
        given = settings.mirror
        if given is not None and descriptor.kind is Kind.UNARY:
            making, name = self._making, given.upstream
            copies = making.taken.of(("mirror", name), lambda: Copies(name, making.clock))
            mirror = Mirror(
                copies,
                ways.copies(name).start,
                own=name == own,
                percent=given.percent,
                timeout=timeout_to(making.config, settings, descriptor, name),
                random=random.random,
                clock=making.clock,
            )
            policies.append(mirror)
        if others:
            policies.append(Elsewhere({name: ways.calls(name) for name in others}))
        return policies


def copies_of(taken: Taken) -> list[Copies]:
    """Returns the copies of calls that a generation sends, to each upstream that it sends any."""
    return [each for each in taken.used.values() if isinstance(each, Copies)]


def _tell_of_copies(making: Making) -> None:
    """Tells of mirrors of streams, which have none, and of calls that may change something."""
    mirrored = [each for name, each in making.descriptors.items() if making.settings[name].mirror]
    found: dict[str | None, list[MethodDescriptor]] = {}
    for each in mirrored:
        found.setdefault(making.settings[each.name].where(MIRROR), []).append(each)
    for methods in found.values():
        settings = making.settings[methods[0].name]
        streams = [each.name for each in methods if each.kind is not Kind.UNARY]
        changing = [
            each.name for each in methods if each.name not in streams and not is_repeatable(each)
        ]
        if wrong := [name for name in streams if names_method(making, MIRROR, name)]:
            text = f"{listed(wrong)}: streams are not copied; expected unary methods"
            making.problems.append(settings.mistake(MIRROR, text))
        elif streams:
            text = f"without effect on {listed(streams)}: streams are not copied"
            making.notes.append(settings.mistake(MIRROR, text))
        if changing:
            text = f"calls of {listed(changing)} may change something, and are made twice"
            making.notes.append(settings.mistake(MIRROR, text))
