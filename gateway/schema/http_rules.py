"""HTTP rules of methods: from `google.api.http` annotations, and from the configuration.

The comment of `google/api/http.proto` is the specification. A rule of the configuration replaces
all that the annotation of that method says; among several for one method the last one wins
(`google.api.Http.rules`). Whether a template is well formed, and whether its fields exist, is
judged by the routing. All that is wrong with a rule is told at once, and its right bindings are
read all the same, so that the routing can judge them in the same round.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from google.api import annotations_pb2, http_pb2
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import MethodOptions

from gateway.schema.method import HttpRule
from gateway.schema.problem import Problem

ANNOTATION = annotations_pb2.HTTP_FIELD_NUMBER


_METHODS = ("get", "put", "post", "delete", "patch", "custom")


class RuleError(ValueError):
    """A binding that breaks a rule of its specification; the text is a whole sentence."""


class Read(NamedTuple):
    """What was read of an HttpRule: its right bindings, and a sentence for all that is wrong."""

    rules: tuple[HttpRule, ...]
    problems: tuple[str, ...] = ()


class Configured(NamedTuple):
    """The configuration's rules.

    Attributes:
        rules: The right bindings by selector (`shop.v1.Catalog.GetProduct`); none where all are
            wrong: what the method's annotation says counts no more.
        places: Where each selector stands.
        problems: What is wrong with the rules by themselves.
    """

    rules: Mapping[str, tuple[HttpRule, ...]]
    places: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


def annotated(options: MethodOptions, source: str) -> Read:
    """Returns the rules in a method's options, none without an annotation.

    The global pool's extension reads them: so it does not matter whether a backend's protos hold
    `google/api/annotations.proto`, whole, trimmed or not at all.

    Args:
        options: As `google.protobuf`'s MethodDescriptor gives them.
        source: Where the annotation is written.
    """
    if not options.HasExtension(annotations_pb2.http):
        return Read(())
    return flatten(options.Extensions[annotations_pb2.http], source)


def flatten(rule: http_pb2.HttpRule, source: str) -> Read:
    """Returns a rule and its additional bindings, one after the other.

    A binding without an HTTP method or path is wrong, and so are additional bindings in others.
    """
    rules, problems = [], []
    for number, binding in enumerate([rule, *rule.additional_bindings]):
        name = f"additional_bindings[{number - 1}]"
        try:
            rules.append(_binding(binding, source, name if number else "an HTTP rule"))
        except RuleError as wrong:
            problems.append(str(wrong))
        if number and binding.additional_bindings:
            problems.append(
                f"{name} has additional_bindings itself; they may be one level deep only"
            )
        if number and binding.selector:
            problems.append(f"{name} has a selector; only a rule has one")
    return Read(tuple(rules), tuple(problems))


def _binding(rule: http_pb2.HttpRule, source: str, name: str) -> HttpRule:
    pattern = rule.WhichOneof("pattern")
    if pattern is None:
        raise RuleError(f"{name} has no HTTP method; expected one of {', '.join(_METHODS)}")
    if pattern == "custom":
        verb, template = rule.custom.kind, rule.custom.path
        if not verb:
            raise RuleError(f'{name} has no kind in custom; expected an HTTP method or "*"')
    else:
        verb, template = pattern.upper(), getattr(rule, pattern)
    if not template:
        raise RuleError(f"{name} has no path in {pattern}; expected one such as /v1/things")
    return HttpRule(verb, template, rule.body, rule.response_body, source)


def configured(
    rules: Sequence[Mapping[str, object]], place: str = "schema.http_rules"
) -> Configured:
    """Reads the configuration's rules, each the YAML form of a `google.api.HttpRule`.

    Args:
        rules: The rules in order.
        place: What to call the list in errors.
    """
    selected: dict[str, tuple[HttpRule, ...]] = {}
    places: dict[str, str] = {}
    problems = []
    for number, entry in enumerate(rules):
        where = f"{place}[{number}]"
        if isinstance(selector := entry.get("selector"), str) and selector:
            where = f"{where} ({selector})"
            places[selector] = where
        else:
            problems.append(Problem(where, message="has no selector, such as shop.v1.Catalog.Get"))
        read = _read(entry, where)
        problems += [Problem(where, message=text) for text in read.problems]
        if isinstance(selector, str) and selector:
            selected[selector] = read.rules
    return Configured(selected, places, tuple(problems))


def _read(entry: Mapping[str, object], where: str) -> Read:
    if twice := list(_two_methods(entry)):
        return Read((), tuple(twice))
    rule = http_pb2.HttpRule()
    try:
        json_format.ParseDict(dict(entry), rule)
    except json_format.ParseError as error:
        return Read((), (str(error),))
    return flatten(rule, where)


def _two_methods(entry: Mapping[str, object]) -> Iterator[str]:
    """Yields a sentence for each binding with more than one HTTP method, which is one too many."""
    additional = entry.get("additional_bindings", ())
    bindings = additional if isinstance(additional, list | tuple) else ()
    for number, binding in enumerate([entry, *bindings]):
        given = [key for key in _METHODS if isinstance(binding, Mapping) and binding.get(key)]
        if len(given) > 1:
            name = f"additional_bindings[{number - 1}]" if number else "an HTTP rule"
            yield f"{name} has {' and '.join(given)}; expected only one of them"


def unknown_selectors(places: Mapping[str, str], methods: Collection[str]) -> Iterator[Problem]:
    """Yields a problem for each selector that selects none of `methods` (by selector's form)."""
    for selector, where in places.items():
        if selector in methods:
            continue
        if "*" in selector or "," in selector:
            yield Problem(
                where, message="a selector names one method, package.Service.Rpc, without * or ,"
            )
            continue
        yield Problem(
            where, message=f"there is no method {selector}", hint=_nearest(selector, methods)
        )


def _nearest(name: str, known: Iterable[str]) -> str:
    """Returns a hint that names what was probably meant, or nothing."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else ""
