"""Who may call what: the gates that know callers, for methods, sockets and pages.

Without providers there are none, and every caller is anonymous. With any, a method lets in those
that one of its providers knows: all of them count where no policy names some, and `none` among them
lets in who shows nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from gateway.config.effective import Settings
from gateway.config.identity_checks import NONE
from gateway.policies.auth.authenticate import Authenticate, Guard
from gateway.policies.auth.provider import Provider


class Identities:
    """The gates of a config's providers.

    Args:
        providers: By name.
        guard: What addresses may do.
        judges: Those of the providers that decide about any request, whatever it shows. They are
            not asked where nobody need be shown, unless they are named.
    """

    def __init__(
        self, providers: Mapping[str, Provider], guard: Guard, judges: Collection[str] = ()
    ) -> None:
        self.providers = providers
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
                [self.providers[name] for name in named], optional=NONE in key, guard=self._guard
            )
        return self._gates[key]

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


def is_open_to_all(settings: Settings) -> bool:
    """Whether a method of a config with providers may let in who shows nobody.

    Who shows nobody has neither scopes nor roles; a condition may hold for anyone.
    """
    return NONE in (settings.authenticate or ()) and not (settings.scopes or settings.roles)
