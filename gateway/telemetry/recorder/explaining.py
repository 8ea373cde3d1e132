"""The answer to why: an account, with its cause, what to do, and what holds for its method now.

A pure function; the pages of the admin listener and the words of the command line are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.telemetry.recorder.account import Account
from gateway.telemetry.recorder.causes import cause_of, failing
from gateway.telemetry.recorder.hints import hint_of


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that holds for a method.

    Attributes:
        name: `policies.timeout`.
        value: In words.
        set_by: The line of the config, or what else set it.
    """

    name: str
    value: str
    set_by: str


@dataclass(frozen=True, slots=True)
class Present:
    """How things are now, when somebody asks.

    Attributes:
        generation: The number of the config that serves.
        settings: Those of the method that something set.
        timeout: The setting by which its calls end; None for none.
        endpoints: How those of its upstream are; None where it has none.
    """

    generation: int
    settings: Sequence[Setting] = ()
    timeout: Setting | None = None
    endpoints: Mapping[str, Any] | None = None


def explain(account: Account, present: Present) -> dict[str, Any]:
    """Returns why a request ended as it did.

    Args:
        account: What was kept of it.
        present: How things are now, for the method of the call that it is explained by.

    Returns:
        The account, and `cause` (a stable name), `why` (a sentence or a few), `hint`, `docs` (a
        page), `settings` (`name`, `value`, `set_by`), `now` (the endpoints), and whether the config
        was `reloaded` since: the settings are the present ones.
    """
    cause, why = cause_of(account)
    if cause == "GATEWAY_TIMEOUT" and present.timeout is not None:
        why += f" It is set by {present.timeout.set_by}."
    why += _left_out(account, present)
    hint = hint_of(cause)
    return {
        **account,
        "cause": cause,
        "why": why,
        "hint": hint.text,
        "docs": f"docs/{hint.page}",
        "settings": [
            {"name": each.name, "value": each.value, "set_by": each.set_by}
            for each in present.settings
        ],
        "now": present.endpoints,
        "reloaded": account["generation"] != present.generation,
    }


def _left_out(account: Account, present: Present) -> str:
    """Says which endpoints take no calls now, where a call failed at the backend."""
    call = failing(account)
    if present.endpoints is None or call is None or "attempts" not in call or "error" not in call:
        return ""
    return "".join(
        f" {each['address']} is {cause['cause']} now: {cause['why']}."
        for each in present.endpoints["endpoints"]
        for cause in each["out"]
    )
