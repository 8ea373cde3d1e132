"""The conditions of a generation: each compiled once for the types that it looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.config.effective import WHEN, Settings
from gateway.schema.method import MethodDescriptor
from gateway.schema.registry import Registry

if TYPE_CHECKING:
    from gateway.policies.cel import Condition, ConditionError

_NAMED: Final = 3  # methods that a problem names


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
    wrong: dict[tuple[str, str], list[tuple[str, ConditionError]]] = {}
    for method, when in asked:
        try:
            found[method.name] = compiler.compile(when, method.input)
        except ConditionError as failure:
            key = settings[method.name].where(WHEN) or "", failure.general
            wrong.setdefault(key, []).append((method.name, failure))
    problems = []
    for (where, _), failures in wrong.items():
        others = any(settings[name].where(WHEN) == where for name in found)
        problems.append(settings[failures[0][0]].mistake(WHEN, said(failures, others=others)))
    return Conditions(found, tuple(problems))


def said(failures: Sequence[tuple[str, ConditionError]], *, others: bool) -> str:
    """Returns what is wrong with a condition, once for all methods that it is wrong for.

    Args:
        failures: The methods, with what was said for each: the same but for their types.
        others: Whether the condition is right for other methods.
    """
    names = [name for name, _ in failures]
    texts = {str(failure) for _, failure in failures}
    first = failures[0][1]
    text = texts.pop() if len(texts) == 1 else first.general
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    text += f" ({', '.join(names[:_NAMED])}{more})"
    if first.lacks_field and others:
        text += "; requests of other methods have it: name those in methods"
    return text
