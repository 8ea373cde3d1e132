"""What is served, before and after: methods, routes, the graph, documents, messages, settings.

And what a mock answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from gateway.app.effects.effect import Effect, clipped, counted, listed
from gateway.app.effects.facts import Facts, MethodFacts

_NOT_SET = "default"


def served(before: Facts, after: Facts) -> Iterator[Effect]:
    """Yields what of it comes, goes, and changes."""
    yield from _come_and_gone("method", "method", before.methods, after.methods)
    yield from _moved(before.methods, after.methods)
    yield from _formed(before.methods, after.methods)
    yield from _shaped(before.messages, after.messages)
    yield from _come_and_gone("route", "route", before.routes, after.routes)
    yield from _changed("route-changed", "route", "now calls another", before.routes, after.routes)
    words = "takes or gives another part of the message"
    yield from _changed("route-body", "route", words, before.bodies, after.bodies)
    what = "field of the graph"
    yield from _come_and_gone("graph-field", what, before.fields, after.fields)
    words = "has another type or other arguments"
    yield from _changed("graph-field-changed", what, words, before.fields, after.fields)
    words = "has its value from elsewhere"
    yield from _changed("graph-field-source", what, words, before.sources, after.sources)
    what = "trusted document"
    yield from _come_and_gone("document", what, before.documents, after.documents)
    yield from _changed(
        "document-changed", what, "has another text", before.documents, after.documents
    )
    yield from _settings(before.methods, after.methods)
    yield from _written(before.written, after.written)


def _come_and_gone(
    kind: str, what: str, before: Mapping[str, object], after: Mapping[str, object]
) -> Iterator[Effect]:
    for how, names in (
        ("added", sorted(after.keys() - before.keys())),
        ("removed", sorted(before.keys() - after.keys())),
    ):
        if names:
            text = f"{_counted(len(names), what)} {how}: {listed(names)}"
            yield Effect(f"{kind}-{how}", text, tuple(names))


def _counted(number: int, what: str) -> str:
    """Counts what may have words behind it: `2 fields of the graph`."""
    head, space, rest = what.partition(" of ")
    return counted(number, head) + space + rest


def _changed(
    kind: str, what: str, words: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[Effect]:
    names = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    if names:
        yield Effect(
            kind, f"{_counted(len(names), what)} changed ({words}): {listed(names)}", tuple(names)
        )


def _moved(before: Mapping[str, MethodFacts], after: Mapping[str, MethodFacts]) -> Iterator[Effect]:
    moved: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in sorted(before.keys() & after.keys()):
        ways = before[name].upstream, after[name].upstream
        if ways[0] != ways[1]:
            moved[ways].append(name)
    for (one, other), names in moved.items():
        text = f"{counted(len(names), 'method')} moved from upstream {one} to {other}: "
        yield Effect("method-upstream", text + listed(names), tuple(names))


def _formed(
    before: Mapping[str, MethodFacts], after: Mapping[str, MethodFacts]
) -> Iterator[Effect]:
    for name in sorted(before.keys() & after.keys()):
        if before[name].form != after[name].form:
            text = f"{name}: {before[name].form} → {after[name].form}"
            yield Effect("method-form", text, (name,))


def _shaped(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> Iterator[Effect]:
    for name in sorted(before.keys() & after.keys()):
        one, other = before[name], after[name]
        if one == other:
            continue
        said = [
            *(f"+{each}" for each in other if each not in one),
            *(f"-{each}" for each in one if each not in other),
            *(
                f"{each} ({one[each]} → {other[each]})"
                for each in one
                if each in other and one[each] != other[each]
            ),
        ]
        yield Effect("message", f"message {name}: {listed(said)}", (name,))


def _settings(
    before: Mapping[str, MethodFacts], after: Mapping[str, MethodFacts]
) -> Iterator[Effect]:
    """Yields changes of what policies set, one for all methods that change alike."""
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name in sorted(before.keys() & after.keys()):
        one, other = before[name].settings, after[name].settings
        for key in sorted(one.keys() | other.keys()):
            was, becomes = one.get(key, _NOT_SET), other.get(key, _NOT_SET)
            if was != becomes:
                found[key, was, becomes].append(name)
    for (key, was, becomes), names in found.items():
        methods = f"{counted(len(names), 'method')}: {listed(names)}"
        text = f"{key} {clipped(was)} → {clipped(becomes)}, of {methods}"
        yield Effect("method-setting", text, tuple(names))


def _written(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[Effect]:
    """Yields that written answers of a mock come, go or change: all of them in one."""
    every = before.keys() | after.keys()
    names = sorted(name for name in every if before.get(name) != after.get(name))
    if names:
        text = f"mock answers changed, of {counted(len(names), 'method')}: {listed(names)}"
        yield Effect("mock-answers", text, tuple(names))
