"""The paths of the admin listener: fixed ones, and those of which segments are parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote

T = TypeVar("T")


class Match(NamedTuple, Generic[T]):
    """What a path leads to.

    Attributes:
        target: That.
        parameters: The segments that stand for parameters, by name, decoded.
    """

    target: T
    parameters: Mapping[str, str]


class Paths(Generic[T]):
    """Finds what stands at a path. A fixed path comes before one with parameters.

    Args:
        targets: By path: `/upstreams`, or `/why/{id}`, where `{id}` is one segment that is not
            empty.
    """

    __slots__ = ("_fixed", "_forms", "known")

    def __init__(self, targets: Mapping[str, T]) -> None:
        self.known = tuple(sorted(targets))
        self._fixed = {path: each for path, each in targets.items() if "{" not in path}
        self._forms = [
            (path.split("/"), each) for path, each in targets.items() if path not in self._fixed
        ]

    def find(self, path: str) -> Match[T] | None:
        """Returns what stands at a path, as it was received; None where nothing does."""
        fixed = self._fixed.get(path)
        if fixed is not None:
            return Match(fixed, {})
        segments = path.split("/")
        for form, target in self._forms:
            found = _parameters(form, segments)
            if found is not None:
                return Match(target, found)
        return None


def _parameters(form: list[str], segments: list[str]) -> Mapping[str, str] | None:
    if len(form) != len(segments):
        return None
    found = {}
    for expected, segment in zip(form, segments, strict=True):
        if not expected.startswith("{"):
            if expected != segment:
                return None
            continue
        try:
            value = unquote(segment, errors="strict")
        except UnicodeDecodeError:
            return None
        if not value:
            return None
        found[expected[1:-1]] = value
    return found
