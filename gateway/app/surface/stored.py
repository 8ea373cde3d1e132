"""A surface in a file: JSON, which `check --against` compares with later, and people can read."""

from __future__ import annotations

import json
from functools import cache
from itertools import islice
from typing import Final

from pydantic import TypeAdapter, ValidationError

from gateway.app.surface.model import Surface
from gateway.app.surface.whole import missing

FILE: Final = "api.json"
_SHOWN: Final = 3  # mistakes that are told of a file


class StoredError(ValueError):
    """A file that holds no surface. The text says why, on one line."""


def written(surface: Surface) -> str:
    """Returns a surface as the text of a file; what is as it usually is, is left out."""
    plain = _adapter().dump_python(surface, mode="json", exclude_defaults=True)
    return json.dumps({"format": surface.format} | plain, indent=1, ensure_ascii=False) + "\n"


def read(data: bytes) -> Surface:
    """Returns the surface that a file holds.

    Raises:
        StoredError: It holds none.
    """
    try:
        surface = _adapter().validate_json(data)
    except ValidationError as wrong:
        told = [
            f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}"
            for each in wrong.errors(include_url=False, include_input=False)[:_SHOWN]
        ]
        raise StoredError("; ".join(told)) from None
    if lost := [*islice(missing(surface), _SHOWN)]:
        raise StoredError("; ".join(lost))
    return surface


@cache
def _adapter() -> TypeAdapter[Surface]:
    return TypeAdapter(Surface)
