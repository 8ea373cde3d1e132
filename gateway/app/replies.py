"""How replies leave the public listener: what they may be packed in, and who may read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.app.places import of_key
from gateway.config import Config, Source
from gateway.config.models import Listener
from gateway.listener.codings import missing
from gateway.listener.cors import Cors

_EXTRA: Final = "needs the extra {name}: pip install 'grpc-api-gateway[{name}]'"


def cors(listener: Listener) -> Cors | None:
    """Returns what pages of other origins may do; None for nothing."""
    given = listener.cors
    if given is None or not given.origins:
        return None
    return Cors(
        given.origins,
        credentials=given.credentials,
        max_age=int(given.max_age),
        methods=given.methods,
        headers=given.headers,
        expose=given.expose,
    )


def unpackable(config: Config, source: Source) -> Iterator[str]:
    """Yields a line for each coding whose library is not installed."""
    for place, coding in enumerate(config.listener.compression):
        if missing(coding):
            path = ("listener", "compression", place)
            yield of_key(path, _EXTRA.format(name=coding), source)
