"""The lookups that are declared: in the configuration, and by options in protos.

For one RPC, message and request field the configuration counts, not the option. All that is wrong
is told at the place of the entry, with the corrected entry as it is written there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import TypeAlias

from google.protobuf.descriptor import Descriptor

from gateway.fronts.graphql.graph.sources import Lookup
from gateway.fronts.graphql.joins.candidates import hint
from gateway.fronts.graphql.joins.lookups import MistakesError, resolve
from gateway.fronts.graphql.joins.options import LookupOptions
from gateway.fronts.graphql.joins.places import Findings, Place
from gateway.fronts.graphql.joins.rpcs import Rpcs

_Written: TypeAlias = Callable[[LookupOptions], str]
_PARTS = tuple(part.name for part in fields(LookupOptions) if part.name != "place")


class Lookups:
    """What can be looked up, and by which RPCs."""

    def __init__(self, found: Iterable[Lookup]) -> None:
        self._found = tuple(found)

    def of(self, item: Descriptor) -> tuple[Lookup, ...]:
        """Returns the lookups of a message: those in batches, where there are any."""
        found = tuple(each for each in self._found if each.item.full_name == item.full_name)
        return tuple(each for each in found if each.batches) or found

    def by(self, method: str, item: Descriptor, keys: str = "") -> tuple[Lookup, ...]:
        """Returns the lookups of a message by one RPC, and by one of its fields where it is said.

        Args:
            method: The RPC's full name.
            item: The message.
            keys: The request field that takes the keys; empty for any.
        """
        return tuple(
            each
            for each in self._found
            if each.method.name == method
            and each.item.full_name == item.full_name
            and keys in ("", each.keys.name)
        )


def declared(configured: Sequence[LookupOptions], rpcs: Rpcs, findings: Findings) -> Lookups:
    """Reads and checks every declared lookup.

    Args:
        configured: Entries of `graphql.lookups`.
        rpcs: What can be called.
        findings: Gets what is wrong.
    """
    found: dict[tuple[str, str, str], Lookup] = {}
    for options in configured:
        lookup = _checked(options, rpcs, findings, yaml_line)
        if lookup is None:
            continue
        first = found.setdefault(_identity(lookup), lookup)
        if first is not lookup:
            findings.wrong(
                options.place,
                f"{options.method} looks up {lookup.item.full_name} by {lookup.keys.name} "
                f"already, at {first.source}",
                "delete one of the two",
            )
    for options in _annotated(rpcs):
        lookup = _checked(options, rpcs, findings, option_text)
        if lookup is not None:
            found.setdefault(_identity(lookup), lookup)
    return Lookups(found.values())


def yaml_line(options: LookupOptions) -> str:
    """Returns an entry as `graphql.lookups` in the configuration has it."""
    return f"- {{{', '.join(f'{name}: {value}' for name, value in _said(options))}}}"


def option_text(options: LookupOptions) -> str:
    """Returns an entry as the option on an RPC has it."""
    said = (f"{name}: {json.dumps(value)}" for name, value in _said(options) if name != "method")
    return f"option (gateway.v1.method).lookups = {{{', '.join(said)}}};"


def _said(options: LookupOptions) -> Iterator[tuple[str, str | int]]:
    for name in _PARTS:
        if value := getattr(options, name):
            yield name, value


def _checked(
    options: LookupOptions, rpcs: Rpcs, findings: Findings, written: _Written
) -> Lookup | None:
    try:
        return resolve(options, rpcs)
    except MistakesError as error:
        for mistake in error.mistakes:
            line = ""
            if mistake.candidates:
                line = written(options.corrected(mistake.part, mistake.candidates[0]))
            shown = [each for each in mistake.candidates if each]
            message = f"the lookup by {options.method}: {mistake.part}: {mistake.message}"
            findings.wrong(options.place, message, hint(shown, line))
        return None


def _annotated(rpcs: Rpcs) -> Iterator[LookupOptions]:
    for method in rpcs:
        for each in rpcs.lookups(method):
            yield LookupOptions(
                method.name,
                each.type,
                each.keys,
                each.items,
                each.by,
                each.max_batch,
                each.mask,
                Place(rpcs.origin(method), method.line),
            )


def _identity(lookup: Lookup) -> tuple[str, str, str]:
    return lookup.method.name, lookup.item.full_name, lookup.keys.name
