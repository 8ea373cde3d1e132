"""Which form of metrics a scraper prefers, by its `Accept` (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from typing import Final

TEXT: Final = "text"
OPENMETRICS: Final = "openmetrics"

_OPENMETRICS_TYPE: Final = "application/openmetrics-text"
_VERSIONS: Final = frozenset({"", "0.0.1", "1.0.0"})
_TEXTS: Final = frozenset({"text/plain", "text/*", "*/*"})
_MOST: Final = 32  # ranges that are looked at


def preferred(accept: str) -> str:
    """Returns the form: OPENMETRICS where it is asked for at least as much as text, else TEXT.

    Prometheus asks for several, and names their versions.

    Args:
        accept: The header field's value; empty for none.
    """
    qualities = {TEXT: 0.0, OPENMETRICS: 0.0}
    for given in accept.split(",")[:_MOST]:
        type_, *parameters = (part.strip().lower() for part in given.split(";"))
        said = dict(part.partition("=")[::2] for part in parameters)
        form = TEXT if type_ in _TEXTS else OPENMETRICS
        if form is OPENMETRICS and (
            type_ != _OPENMETRICS_TYPE or said.get("version", "").strip('"') not in _VERSIONS
        ):
            continue
        qualities[form] = max(qualities[form], _quality(said.get("q", "1")))
    wanted = qualities[OPENMETRICS]
    return OPENMETRICS if wanted and wanted >= qualities[TEXT] else TEXT


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0  # which a NaN is not
