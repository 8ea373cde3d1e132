"""The conditions of a generation: each compiled once for the types that it looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from gateway.config.effective import WHEN, Settings
from gateway.schema.method import MethodDescriptor
from gateway.schema.registry import Registry

if TYPE_CHECKING:
    from gateway.policies.cel import Condition


class Conditions(NamedTuple):
    """What was compiled.

    Attributes:
        by_method: By the method's full name; methods without a condition are not there.
        problems: What does not compile, as lines.
    """

    by_method: Mapping[str, Condition]
    problems: tuple[str, ...]


def conditions(
    registry: Registry, methods: Iterable[MethodDescriptor], settings: Mapping[str, Settings]
) -> Conditions:
    """Compiles the conditions of methods.

    Args:
        registry: Whose types they know.
        methods: Those that are served.
        settings: What holds for each.
    """
    asked = [(each, when) for each in methods if (when := settings[each.name].when) is not None]
    if not asked:
        return Conditions({}, ())
    # The evaluator takes 14 MB: only who has a condition pays for it.
    from gateway.policies.cel import Compiler, ConditionError  # noqa: PLC0415  see above

    compiler = Compiler(registry.pool)
    found: dict[str, Condition] = {}
    problems: dict[str, None] = {}
    for method, when in asked:
        try:
            found[method.name] = compiler.compile(when, method.input)
        except ConditionError as wrong:
            problems[settings[method.name].mistake(WHEN, str(wrong))] = None
    return Conditions(found, tuple(problems))
