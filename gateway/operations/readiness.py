"""Whether to send a gateway requests, and why not: the page `/readyz`.

A gateway that can't serve as a whole (it starts, or drains, or has no worker) is not ready. What
only some calls meet, such as a backend that is gone, is told, and leaves it ready: a probe that
fails for one backend would take all the others' calls away, everywhere at once. Who wants that
asks with `?strict=1`. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gateway.listener.admin import Page
from gateway.listener.faults import JSON, Fault, Refused
from gateway.operations.asking import NOT_ASKED_RIGHT

STRICT: Final = "strict"

MADE_UP: Final = "Every answer is made up: no backend is called."

REFUSED_RELOAD: Final = "The last reload was refused: the config before it is served."

_SWITCH: Final = {"1": True, "true": True, "0": False, "false": False}


class Stage(Enum):
    """How far a gateway is, from its start to its end."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    NO_WORKER = "no worker is ready"


_WHY: Final[Mapping[Stage, str]] = {
    Stage.STARTING: "The first start is not over.",
    Stage.DRAINING: "Clients are sent elsewhere.",
    Stage.NO_WORKER: "All workers have ended, and none is back.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a gateway stands.

    Attributes:
        stage: How far it is.
        warnings: What some calls meet: sentences that name nothing a client may not know.
    """

    stage: Stage
    warnings: Sequence[str] = ()


def readyz(standing: Standing, parameters: Mapping[str, str]) -> Page:
    """Returns the page: 200 with `ready` or `degraded`, or 503 with the stage.

    Args:
        standing: How the gateway stands.
        parameters: `strict`: whether `degraded` is 503 too.

    Raises:
        Refused: A parameter is none that there is.
    """
    strict = _SWITCH.get(parameters.get(STRICT, "0"))
    if strict is None or set(parameters) - {STRICT}:
        raise Refused(Fault(400, NOT_ASKED_RIGHT, "The only parameter is strict: 1 or 0."))
    whole = _WHY.get(standing.stage)
    reasons = [*([] if whole is None else [whole]), *standing.warnings]
    if whole is not None:
        return _page(503, standing.stage.value, reasons)
    if reasons:
        return _page(503 if strict else 200, "degraded", reasons)
    return _page(200, "ready", reasons)


def _page(status: int, state: str, reasons: Sequence[str]) -> Page:
    return Page(status, JSON, json.dumps({"status": state, "reasons": reasons}).encode())
