"""Who may call a method or see a page, as plain data.

What a change of it means is `callers`'s to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.app.identity import is_open_to_all
from gateway.config import Config, Settings
from gateway.config.effective import AUTHENTICATE, ROLES, SCOPES, WHEN
from gateway.config.identity_checks import NONE

SAID: Final = frozenset({AUTHENTICATE, SCOPES, ROLES, WHEN})
"""The settings of a method of which `reach_of` tells."""

# Texts of CEL as its lexis has them, and what stands between tokens: white space and comments
# (google/cel-spec, doc/langdef.md, Syntax). In a text a space counts.
_LEXIS: Final = re.compile(
    r'''[rR](?:"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"[^"\n]*"|'[^'\n]*')'''
    r'''|"""(?:\\[\s\S]|[^\\])*?"""|\'\'\'(?:\\[\s\S]|[^\\])*?\'\'\''''
    r"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*\'"""
    r"|(?P<between>(?:\s|//[^\n]*)+)"
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Who may call a method.

    Attributes:
        anonymous: Whether callers that show nobody may.
        providers: Those that know a caller, any of them; empty where there are none at all.
        scopes: All of these a caller must have.
        roles: One of these; empty where none is asked for.
        when: A condition; empty for none.
    """

    anonymous: bool
    providers: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    when: str = ""


def reach_of(config: Config, settings: Settings) -> Reach:
    """Returns who may call a method that has these settings."""
    reach = _known(config, settings.authenticate)
    anonymous = is_open_to_all(settings) if config.auth.providers else True
    return Reach(
        anonymous,
        reach.providers,
        frozenset(settings.scopes),
        frozenset(settings.roles),
        without_layout(settings.when),
    )


def reach_of_pages(config: Config) -> Reach:
    """Returns who may see the pages."""
    return _known(config, config.pages.authenticate or None)


def without_layout(condition: str | None) -> str:
    """Returns a condition with one space where its tokens stand apart, and without comments.

    Args:
        condition: In CEL; None for none, as which it is empty.
    """
    return _LEXIS.sub(lambda found: " " if found["between"] else found[0], condition or "").strip()


def _known(config: Config, names: tuple[str, ...] | None) -> Reach:
    known = config.auth.providers
    named = known if names is None else [each for each in names if each != NONE]
    # Where only nobody is named, who shows something is looked at all the same (`Identities`).
    asked = named or [name for name, each in known.items() if each.ext_authz is None]
    return Reach(not known or NONE in (names or ()), frozenset(asked))
