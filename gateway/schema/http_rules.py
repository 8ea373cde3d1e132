"""HTTP rules of methods: from `google.api.http` annotations, and from the configuration.

The comment of `google/api/http.proto` is the specification. A rule of the configuration replaces
all that the annotation of that method says; among several for one method the last one wins
(`google.api.Http.rules`). Whether a template is well formed, and whether its fields exist, is
judged by the routing.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from google.api import annotations_pb2, http_pb2
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import MethodOptions

from gateway.schema.method import HttpRule
from gateway.schema.problem import Problem

ANNOTATION = annotations_pb2.HTTP_FIELD_NUMBER


class RuleError(ValueError):
    """An HttpRule that breaks a rule of its specification; the text is a whole sentence."""


def annotated(options: MethodOptions, source: str) -> tuple[HttpRule, ...]:
    """Returns the rules in a method's options, none without an annotation.

    The global pool's extension reads them: so it does not matter whether a backend's protos hold
    `google/api/annotations.proto`, whole, trimmed or not at all.

    Args:
        options: As `google.protobuf`'s MethodDescriptor gives them.
        source: Where the annotation is written.

    Raises:
        RuleError: The annotation breaks the specification.
    """
    if not options.HasExtension(annotations_pb2.http):
        return ()
    return flatten(options.Extensions[annotations_pb2.http], source)


def flatten(rule: http_pb2.HttpRule, source: str) -> tuple[HttpRule, ...]:
    """Returns a rule and its additional bindings, one after the other.

    Raises:
        RuleError: A binding has no HTTP method or path, or additional bindings are nested.
    """
    rules = [_binding(rule, source)]
    for number, additional in enumerate(rule.additional_bindings):
        if additional.additional_bindings:
            raise RuleError(
                f"additional_bindings[{number}] has additional_bindings itself; "
                "they may be one level deep only"
            )
        if additional.selector:
            raise RuleError(f"additional_bindings[{number}] has a selector; only a rule has one")
        rules.append(_binding(additional, source))
    return tuple(rules)


def _binding(rule: http_pb2.HttpRule, source: str) -> HttpRule:
    pattern = rule.WhichOneof("pattern")
    if pattern is None:
        raise RuleError(
            "an HTTP rule has no HTTP method; expected one of get, put, post, delete, patch, custom"
        )
    if pattern == "custom":
        verb, template = rule.custom.kind, rule.custom.path
        if not verb:
            raise RuleError('a custom HTTP rule has no kind; expected an HTTP method or "*"')
    else:
        verb, template = pattern.upper(), getattr(rule, pattern)
    if not template:
        raise RuleError(f"the HTTP rule's {pattern} has no path; expected one such as /v1/things")
    return HttpRule(verb, template, rule.body, rule.response_body, source)


def configured(
    rules: Sequence[Mapping[str, object]], place: str = "schema.http_rules"
) -> tuple[dict[str, tuple[HttpRule, ...]], list[Problem]]:
    """Reads the configuration's rules, each the YAML form of a `google.api.HttpRule`.

    Args:
        rules: The rules in order.
        place: What to call the list in errors.

    Returns:
        The rules by selector (`shop.v1.Catalog.GetProduct`), and what is wrong with others.
    """
    selected: dict[str, tuple[HttpRule, ...]] = {}
    problems = []
    for number, entry in enumerate(rules):
        where = f"{place}[{number}]"
        rule = http_pb2.HttpRule()
        try:
            json_format.ParseDict(dict(entry), rule)
            rules_of_it = flatten(rule, f"{where} ({rule.selector})")
        except (json_format.ParseError, RuleError) as error:
            problems.append(Problem(where, message=str(error)))
            continue
        if rule.selector:
            selected[rule.selector] = rules_of_it
        else:
            problems.append(Problem(where, message="has no selector, such as shop.v1.Catalog.Get"))
    return selected, problems


def unknown_selectors(
    selectors: Mapping[str, Sequence[HttpRule]], methods: Collection[str]
) -> Iterator[Problem]:
    """Yields a problem for each selector that selects none of `methods` (by selector's form)."""
    for selector, rules in selectors.items():
        if selector in methods:
            continue
        where = rules[0].source
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
