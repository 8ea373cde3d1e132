"""Who may call what, before and after: what a change opens and what it closes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway.app.effects.effect import Effect, clipped, counted, listed
from gateway.app.effects.facts import Facts
from gateway.app.reach import Reach
from gateway.config.values import Key

_PAGES: Final[Mapping[Key, str]] = {
    ("rest", "openapi"): "the OpenAPI document",
    ("rest", "docs"): "the documentation",
    ("graphql", "graphiql"): "GraphiQL",
    ("graphql", "introspection"): "introspection",
}
"""What to call the pages, by the keys that switch them."""


def callers_of_methods(before: Facts, after: Facts) -> Iterator[Effect]:
    """Yields how the callers of methods change that are there before and after, and of new ones."""
    fresh = after.methods.keys() - before.methods.keys()
    both = (*before.methods.values(), *after.methods.values())
    guarded = any(not each.reach.anonymous for each in both)
    # Where nobody has to show anything, that a new method asks for nothing is no news.
    open_ = [name for name in sorted(fresh) if guarded and after.methods[name].reach.anonymous]
    if open_:
        text = f"{counted(len(open_), 'new method')} anonymous: {listed(open_)}"
        yield Effect("method-anonymous", text, tuple(open_), opens=True)
    found: dict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for name in sorted(before.methods.keys() & after.methods.keys()):
        for change in _changes(before.methods[name].reach, after.methods[name].reach):
            found[change].append(name)
    for (kind, words, opens), names in sorted(found.items(), key=lambda each: not each[0][2]):
        methods = counted(len(names), "method")
        text = f"{methods} {words}: {listed(names)}"
        yield Effect(kind, text, tuple(names), opens=opens)


def callers_of_pages(before: Facts, after: Facts) -> Iterator[Effect]:
    """Yields how those change who may see pages, and pages that are new to everybody.

    A new page that asks who calls opens nothing, as a new method.
    """
    fresh = [key for key in _PAGES if key in after.pages.keys() - before.pages.keys()]
    if open_ := [key for key in fresh if after.pages[key].anonymous]:
        text = f"pages served now, to anyone: {listed(_PAGES[key] for key in open_)}"
        yield Effect("pages-served", text, tuple(map(".".join, open_)), opens=True)
    found: dict[tuple[str, str, bool], list[Key]] = defaultdict(list)
    for key in _PAGES:
        if key in before.pages and key in after.pages:
            for change in _changes(before.pages[key], after.pages[key]):
                found[change].append(key)
    for (kind, words, opens), keys in found.items():
        text = f"pages {words}: {listed(_PAGES[key] for key in keys)}"
        names = tuple(map(".".join, keys))
        yield Effect(kind.replace("method", "pages"), text, names, opens=opens)


def scopes_of_fields(before: Facts, after: Facts) -> Iterator[Effect]:
    """Yields fields of the graph that callers see with fewer scopes, or with others."""
    there = before.fields.keys() & after.fields.keys()
    fewer, more = _compared(
        {name: before.scoped.get(name, frozenset()) for name in there},
        {name: after.scoped.get(name, frozenset()) for name in there},
    )
    if fewer:
        text = f"{counted(len(fewer), 'field')} of the graph now seen with fewer scopes"
        yield Effect("field-scopes-lost", f"{text}: {listed(fewer)}", tuple(fewer), opens=True)
    if more:
        text = f"{counted(len(more), 'field')} of the graph now seen with more scopes only"
        yield Effect("field-scopes", f"{text}: {listed(more)}", tuple(more))


def _compared(
    before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]]
) -> tuple[list[str], list[str]]:
    changed = sorted(name for name in before if before[name] != after[name])
    fewer = [name for name in changed if before[name] - after[name]]
    return fewer, [name for name in changed if name not in fewer]


def _changes(before: Reach, after: Reach) -> Iterator[tuple[str, str, bool]]:
    """Yields kind, words, and whether more may call, of each change."""
    if before.anonymous != after.anonymous:
        if after.anonymous:
            yield "method-anonymous", "now anonymous", True
        else:
            yield "method-known", "no longer anonymous", False
    elif not after.anonymous:
        yield from _providers(before.providers, after.providers)
    yield from _all_of(before.scopes, after.scopes)
    yield from _any_of(before.roles, after.roles)
    if before.when != after.when:
        # What of two conditions lets in more nobody can tell, but none lets in all.
        was, becomes = (f'"{clipped(each)}"' if each else "none" for each in _pair(before, after))
        kind = "method-condition" if after.when else "method-condition-lost"
        yield kind, f"with the condition {was} → {becomes}", not after.when


def _pair(before: Reach, after: Reach) -> tuple[str, str]:
    return before.when, after.when


def _providers(before: frozenset[str], after: frozenset[str]) -> Iterator[tuple[str, str, bool]]:
    if more := after - before:
        yield "method-provider-added", f"now for callers of {_names(more)} too", True
    if fewer := before - after:
        yield "method-provider-removed", f"no longer for callers of {_names(fewer)}", False


def _all_of(before: frozenset[str], after: frozenset[str]) -> Iterator[tuple[str, str, bool]]:
    """Yields changes of what callers must have all of: fewer let in more."""
    if fewer := before - after:
        yield "method-scopes-lost", f"no longer asking for the scopes {_names(fewer)}", True
    if more := after - before:
        yield "method-scopes", f"now asking for the scopes {_names(more)}", False


def _any_of(before: frozenset[str], after: frozenset[str]) -> Iterator[tuple[str, str, bool]]:
    """Yields changes of what callers must have one of: more let in more, and none lets in all."""
    if before == after:
        return
    if not after:
        yield "method-roles-lost", f"no longer asking for one of the roles {_names(before)}", True
    elif not before:
        yield "method-roles", f"now asking for one of the roles {_names(after)}", False
    else:
        opens = bool(after - before)
        words = f"with the roles {_names(before)} → {_names(after)}"
        yield "method-roles-widened" if opens else "method-roles", words, opens


def _names(names: Iterable[str]) -> str:
    return listed(sorted(names))
