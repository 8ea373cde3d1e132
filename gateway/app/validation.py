"""What requests must be like: methods with `validate: true`, each behind the rules of its type.

The library that knows rules is an extra, imported only where it is asked for. Rules are compiled at
the start: one that can't be is a problem, with the line of the proto. A method whose request type
reaches no rule has nothing to check and gets no policy; that is told only where it is named, as a
glob may well mean methods that have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor import Descriptor

from gateway.app.parts import Making, Nothing, Part
from gateway.chain import Policy
from gateway.config import Settings
from gateway.config.effective import VALIDATE
from gateway.schema.declared_at import Declaration, declared_at
from gateway.schema.method import Kind, MethodDescriptor
from gateway.schema.problem import Problem

if TYPE_CHECKING:
    from gateway.policies.validation.rules import Reached, Rule, Rules

LIBRARY: Final = "protovalidate"


def validation(making: Making) -> Part:
    """Returns what makes the policy of methods with `validate: true`.

    Adds to `making.problems` where the library is not there, and what does not compile.
    """
    asked = [
        method for name, method in making.descriptors.items() if making.settings[name].validate
    ]
    if not asked:
        return Nothing()
    if find_spec(LIBRARY) is None:
        said = "needs the extra validation: pip install 'grpc-api-gateway[validation]'"
        places = (making.settings[each.name].mistake(VALIDATE, said) for each in asked)
        making.problems.extend(dict.fromkeys(places))
        return Nothing()
    # Heavy, and perhaps not installed.
    from gateway.policies.validation.rules import Rules  # noqa: PLC0415  see above

    rules = Rules(making.registry.pool)
    found: dict[str, Reached] = {}
    for method in asked:
        reached = rules.reached(making.registry.message(method.input))
        if reached.types:
            found[method.input] = reached
        elif _names(making, method):
            making.warnings.append(
                making.settings[method.name].mistake(
                    VALIDATE, f"{method.input} has no rules of buf.validate ({method.name})"
                )
            )
    return _Validation(making, rules, found) if found else Nothing()


class _Validation:
    """Makes the policies.

    Args:
        making: What parts are made of.
        rules: Those of its types.
        found: What request types have rules, by full name.
    """

    def __init__(self, making: Making, rules: Rules, found: Mapping[str, Reached]) -> None:
        from gateway.policies.validation.validator import (  # noqa: PLC0415  9 MB of native code
            Checker,
            RuleError,
        )

        checker = Checker()
        types: dict[str, Descriptor] = {}
        for reached in found.values():
            types |= {each.full_name: each for each in reached.types}
        problems = []
        for each in types.values():
            try:
                checker.compile(each)
            except RuleError as wrong:
                declaration = culprit(rules.of(each), each, str(wrong))
                origin, line = declared_at(making.registry, declaration)
                said = f"a rule of {_name(declaration)} can't be compiled: {wrong}"
                problems.append(Problem(origin, line, message=said))
        making.problems.extend(map(str, sorted(problems)))
        self._requests = {
            name: checker.requests(making.registry.message(name), reached.most)
            for name, reached in found.items()
        }

    def policies(
        self,
        descriptor: MethodDescriptor,
        settings: Settings,
        upstream: str,  # noqa: ARG002  the interface's
    ) -> Sequence[Policy]:
        """See Part."""
        from gateway.policies.validation.policy import (  # noqa: PLC0415  only who uses it
            Validate,
            ValidateMessages,
        )

        requests = self._requests.get(descriptor.input)
        if requests is None or not settings.validate:
            return ()
        kind = Validate if descriptor.kind is Kind.UNARY else ValidateMessages
        return (kind(requests),)


def culprit(rules: Sequence[Rule], of: Descriptor, failure: str) -> Declaration:
    """Returns the declaration whose rule the library means, as well as its words tell it.

    Args:
        rules: Those of one message type.
        of: The type.
        failure: What the library says: it names a field, or quotes a text of the rule, or neither.
    """
    if len(rules) == 1:
        return rules[0].of
    for rule in rules:
        if not isinstance(rule.of, Descriptor) and f"{of.full_name}.{rule.of.name}" in failure:
            return rule.of
    quoted = [(len(text), rule.of) for rule in rules for text in rule.texts if text in failure]
    return max(quoted, key=itemgetter(0))[1] if quoted else of


def _name(declaration: Declaration) -> str:
    if isinstance(declaration, Descriptor):
        return declaration.full_name
    owner = declaration.containing_type
    return declaration.name if owner is None else f"{owner.full_name}.{declaration.name}"


def _names(making: Making, method: MethodDescriptor) -> bool:
    """Whether a policy that asks for validation names a method in full."""
    return any(each.validate and method.name in each.methods for each in making.config.policies)
