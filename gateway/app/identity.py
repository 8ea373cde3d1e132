"""Who may call what: the gates that know callers, for methods, sockets and pages.

Without providers there are none, and every caller is anonymous. With any, a method lets in those
that one of its providers knows: all of them count where no policy names some, and `none` among them
lets in who shows nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

from gateway.call import Call, Gate
from gateway.config.effective import Settings
from gateway.config.identity_checks import NONE
from gateway.policies.auth.authenticate import Authenticate, Guard
from gateway.policies.auth.provider import Provider
from gateway.policies.auth.refusals import Refusals


class Identities:
    """The gates of a config's providers.

    Args:
        providers: By name.
        guard: What addresses may do.
        judges: Those of the providers that decide about any request, whatever it shows. They are
            not asked where nobody need be shown, unless they are named.
        newest: Returns those of the generation that serves; None before there is one.

    Attributes:
        providers: By name.
        refusals: Writes all refusals into the log.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        guard: Guard,
        judges: Collection[str] = (),
        newest: Callable[[], Identities | None] = lambda: None,
    ) -> None:
        self.providers = providers
        self.refusals = Refusals()
        self._newest = newest
        self._guard = guard
        self._shown_to = tuple(name for name in providers if name not in judges)
        self._gates: dict[tuple[str, ...], Authenticate] = {}

    def gate(self, names: tuple[str, ...] | None) -> Authenticate | None:
        """Returns the gate for what `authenticate` says; None where there are no providers.

        Args:
            names: Of providers, and `none`; None where nothing is said.
        """
        if not self.providers:
            return None
        key = tuple(self.providers) if names is None else names
        if key not in self._gates:
            # What is shown is looked at even where nothing need be shown: a bad token is refused.
            named = [name for name in key if name != NONE] or self._shown_to
            self._gates[key] = Authenticate(
                [self.providers[name] for name in named],
                optional=NONE in key,
                guard=self._guard,
                refusals=self.refusals,
            )
        return self._gates[key]

    def lasting(self, own: Authenticate, names: tuple[str, ...] | None) -> Gate:
        """Returns the gate by which streams are looked at again, whatever generation serves then.

        Args:
            own: The one that lets them in.
            names: What it was made of.
        """
        return _Lasting(own, names, self._newest)

    def left(self, names: tuple[str, ...] | None) -> Authenticate | None:
        """Returns the gate of those of an older generation's providers that there still are."""
        if names is None:
            return self.gate(None)
        return self.gate(tuple(name for name in names if name == NONE or name in self.providers))

    def of_sockets(self, settings: Iterable[Settings]) -> Authenticate | None:
        """Returns the gate for who opens a socket for calls that are not known yet.

        Args:
            settings: Those of all methods: a socket on which nothing could be called without a
                caller is not opened without one.
        """
        is_open = any(is_open_to_all(each) for each in settings)
        return self.of_anyone() if is_open else self.gate(None)

    def of_anyone(self) -> Authenticate | None:
        """Returns the gate that finds out who asks, and lets in who shows nobody."""
        return self.gate((*self._shown_to, NONE))

    def of_pages(self, names: tuple[str, ...]) -> Authenticate | None:
        """Returns the gate of pages; None where they are open.

        Args:
            names: What `pages.authenticate` says; empty where it says nothing.
        """
        return None if NONE in names else self.gate(names or None)


class _Lasting:
    """Asks the providers of the generation that serves (a Gate).

    What a reload has replaced is not told of revoked keys any more. Without any providers the
    stream goes on as it began.
    """

    __slots__ = ("_names", "_newest", "_own")

    def __init__(
        self,
        own: Authenticate,
        names: tuple[str, ...] | None,
        newest: Callable[[], Identities | None],
    ) -> None:
        self._own = own
        self._names = names
        self._newest = newest

    def admit(self, call: Call) -> Awaitable[None] | None:
        newest = self._newest()
        gate = None if newest is None else newest.left(self._names)
        return (self._own if gate is None else gate).unguarded().admit(call)


def is_open_to_all(settings: Settings) -> bool:
    """Whether a method of a config with providers may let in who shows nobody.

    Who shows nobody has neither scopes nor roles; a condition may hold for anyone.
    """
    return NONE in (settings.authenticate or ()) and not (settings.scopes or settings.roles)
