"""Versions of an API, for paths that say none: which one a request asks for, and how.

The versions there are begin the paths of routes: `v1` of `/v1/products/{id}`. A path that has no
route as it is written is looked for behind a version: that of a header, of a query parameter or of
a media type in `Accept`, or else the default. What a path says itself is never put in question.

Which route there is, is the router's to say; what a method of another version does, its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

from gateway.call import RpcError
from gateway.errors import error
from gateway.fronts.rest.media import JSON, weighted
from gateway.http import Request
from gateway.routing.template import Template

VERSION: Final = re.compile(r"v[0-9]+((alpha|beta)[0-9]*)?")
"""What a version looks like: `v1`, `v2beta1` (AIP-185)."""

_SHOWN: Final = 32  # characters of what a client wrote that an error repeats
_HOLE: Final = "{version}"


@dataclass(frozen=True, slots=True)
class VersionOptions:
    """How requests may ask for a version, beside their paths.

    Attributes:
        default: What is meant where they do not.
        accept: A media type with `{version}` in it, in lower case; empty for none.
        header: The name of a header, in lower case; empty for none.
        query: The name of a query parameter; empty for none.
    """

    default: str
    accept: str = ""
    header: str = ""
    query: str = ""


class Asked(NamedTuple):
    """A request as it is with a version in its path.

    Attributes:
        request: Its head.
        version: The version.
        media: The media type that its client accepts for it; None where it names none.
    """

    request: Request
    version: str
    media: str | None


def versions_of(templates: Iterable[Template], depth: int) -> tuple[str, ...]:
    """Returns the versions that begin the paths of templates, in order.

    Args:
        templates: Those of all routes.
        depth: How many segments the prefix of all of them has.
    """
    first = (each.segments[depth] for each in templates if len(each.segments) > depth)
    found = {each for each in first if isinstance(each, str) and VERSION.fullmatch(each)}
    return tuple(sorted(found, key=_in_order))


class Versions:
    """The versions of an API. Immutable.

    Args:
        options: How they are asked for.
        known: Those that there are.
        prefix: The path before every route, `/api`; empty for none.

    Attributes:
        vary: The header fields that decide the version, as `Vary` has them; empty for none.
    """

    __slots__ = ("_accepted", "_known", "_options", "_prefix", "vary")

    def __init__(self, options: VersionOptions, known: Collection[str], prefix: str = "") -> None:
        self._options = options
        self._known = tuple(known)
        self._prefix = prefix
        before, _, after = options.accept.partition(_HOLE)
        self._accepted = re.compile(f"{re.escape(before)}([a-z0-9]+){re.escape(after)}")
        self.vary = ", ".join(filter(None, ("accept" if options.accept else "", options.header)))

    def may_add(self, path: str) -> bool:
        """Whether a version can be put into a raw path: it is under the prefix, and says none."""
        if not path.startswith(f"{self._prefix}/"):
            return False
        return self._first(path) not in self._known

    def names_unknown(self, path: str) -> bool:
        """Whether a raw path begins with what looks like a version, and is none of those here."""
        return self.may_add(path) and VERSION.fullmatch(self._first(path)) is not None

    def ask(self, request: Request) -> Asked:
        """Returns a request whose path says no version as if it did.

        Raises:
            RpcError: UNKNOWN_VERSION: there is no such version, or several are asked for;
                NOT_ACCEPTABLE: its client accepts none but unknown ones.
        """
        options = self._options
        query, named = request.query, []
        if options.header:
            named += [self._version(each) for each in request.headers.all(options.header)]
        if options.query and query:
            query, values = _taken_out(query, options.query)
            named += [self._version(each) for each in values]
        accepted = self._acceptable(request.headers.all("accept")) if options.accept else {}
        distinct = list(dict.fromkeys(named))
        best = next(iter(accepted), options.default)
        if distinct and accepted and distinct[0] not in accepted:
            distinct.append(best)
        if len(distinct) > 1:
            raise self._unknown(f"The request asks for {' and for '.join(distinct)}.")
        version = distinct[0] if distinct else best
        at = len(self._prefix)
        path = f"{self._prefix}/{version}{request.path[at:]}"
        return Asked(replace(request, path=path, query=query), version, accepted.get(version))

    def listed(self) -> str:
        """Returns the versions that there are, for the end of a sentence."""
        return ", ".join(self._known) or "none"

    def _first(self, path: str) -> str:
        return path[len(self._prefix) + 1 :].partition("/")[0]

    def _version(self, text: str) -> str:
        found = self._meant(text)
        if found is None:
            shown = text.strip()[:_SHOWN]
            said = f"There is no version {shown!a}." if shown else "The version is empty."
            raise self._unknown(said)
        return found

    def _meant(self, text: str) -> str | None:
        """Returns the version that a text names, with its `v` or without; None for none."""
        text = text.strip().lower()
        return next((each for each in (text, f"v{text}") if each in self._known), None)

    def _unknown(self, sentence: str) -> RpcError:
        return error("UNKNOWN_VERSION", f"{sentence} The API has the versions {self.listed()}.")

    def _acceptable(self, accept: Sequence[str]) -> dict[str, str]:
        """Returns the versions whose media types a client accepts, and those types; best first.

        None counts where it likes JSON of no version better (RFC 9110 section 12.5.1). One that it
        likes just as much counts: it says more. Wildcards stand for whatever there is.

        Raises:
            RpcError: NOT_ACCEPTABLE, see `ask`.
        """
        ranges = [weighted(item) for value in accept for item in value.split(",")]
        wanted = [(name, quality) for name, quality in ranges if quality > 0]
        wanted.sort(key=lambda each: -each[1])
        plain = max((quality for name, quality in wanted if name == JSON), default=0.0)
        liked = 0.0
        found: dict[str, str] = {}
        strange = []
        for name, quality in wanted:
            named = self._accepted.fullmatch(name)
            if named is None:
                continue
            version = self._meant(named[1])
            if version is None:
                strange.append(name)
            else:
                found.setdefault(version, name)
                liked = max(liked, quality)
        if strange and not found and len(strange) == len(wanted):
            text = (
                f"None of the accepted media types is of a version that there is: {self.listed()}."
            )
            raise error("NOT_ACCEPTABLE", text)
        return found if liked >= plain else {}


def _taken_out(query: str, name: str) -> tuple[str | None, list[str]]:
    """Returns a raw query without a parameter, and the values that it had."""
    kept, values = [], []
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if unquote_plus(key) == name:
            values.append(unquote_plus(value))
        else:
            kept.append(pair)
    return "&".join(kept) or None, values


def _in_order(version: str) -> tuple[int, str]:
    """Returns what sorts `v2` before `v10`, and `v2beta1` before neither."""
    number = re.match(r"v([0-9]+)", version)
    return int(number[1]) if number else 0, version
