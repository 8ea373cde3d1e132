"""What each kind of finding is about, for people who meet one in another program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.app.compatibility import rules as changes
from gateway.app.findings import About

_CONFIG: Final = About(
    "A mistake or a hint in the config",
    "The message says what was found and what was expected. docs/configuration.md has every key.",
)
_OPENED: Final = About(
    "Somebody may do more than before",
    "If that is meant, serve the new config without `check --strict --since`; `gateway diff` tells "
    "all that it changes. docs/reload.md says what counts as opening.",
)
_OWN: Final[Mapping[str, About]] = {
    "proto": About(
        "A mistake or a hint in a proto, or in an HTTP rule",
        "The file must compile, and the rules and options in it must fit its messages. "
        "docs/schema.md and docs/rest.md say how they are read.",
    ),
    "document": About(
        "A mistake or a hint in a file of GraphQL",
        "Joins and trusted documents must fit the graph. docs/graphql.md says how they are read.",
    ),
    "accepted.unused": About(
        "A change is accepted that there is not",
        "The entry would hide the next change of that name. Remove it.",
    ),
    "serving": About(
        "Something that follows from the config and the protos together",
        "No one line is its cause; `gateway explain METHOD` tells what set each thing that holds "
        "for a method.",
    ),
}


def rule(name: str) -> About:
    """Returns what a rule is about.

    Args:
        name: As a finding has it.
    """
    if name.startswith("opened."):
        return _OPENED
    return _OWN.get(name) or changes.rule(name) or _CONFIG
