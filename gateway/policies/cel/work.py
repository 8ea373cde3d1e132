"""How much work a checked expression can be, by the sizes of what it reads, before it is done.

The work is a sum of products of sizes, such as `rounds x claims`, found once in the expression's
tree. A loop's body is done as often as its range has elements, and what it does with its own
element adds up to no more than the whole range. Where a type says that a value is a number, its
size is one. All is from above: what a condition stops at early is counted to its end. The weights
are measured (`limits.WORK` has the unit); what a text or a list costs is put on its generous side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, NamedTuple, TypeAlias

from gateway.policies.cel.limits import ROUNDS
from gateway.policies.cel.variables import NAMES

Sum: TypeAlias = "dict[tuple[str, ...], float]"
"""Products of symbols, each with its factor. The empty product is a plain number.

A variable's symbol is its bytes, with `#` before it the values in it. `@1` is an element of the
first loop's range, in bytes (`#@1`: in values), `*1` is how often that loop goes round in all,
which is bounded for each however deep it is nested.
"""

_ONE: Final[Sum] = {(): 1.0}
_NUMBERS: Final = frozenset({1, 2, 3, 4})  # bool, int64, uint64, double (Type.PrimitiveType)
_TIMES: Final = frozenset({2, 3})  # Timestamp, Duration (Type.WellKnownType)
_TEXTS: Final = frozenset({5, 6})  # string, bytes
_COMPARED: Final = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_PARTS: Final = frozenset({"_[_]", "_[?_]"})
_LOGIC: Final = frozenset({"_&&_", "_||_", "!_", "_?_:_", "-_", "@not_strictly_false"})
_REPEAT: Final = re.compile(r"\{(\d{1,6})?,?(\d{1,6})?\}")

# Units for each value or byte.
_NUMBER_IN_LIST: Final = 0.4
_TEXT_IN_LIST: Final = 0.2
_DYNAMIC: Final = 0.4
_MESSAGE: Final = 1.25
_COPIED: Final = 1 / 32
_SEARCHED: Final = 1 / 5  # a text in which another begins everywhere
_SEARCHED_FOR: Final = 1 / 2_500  # each byte of either with each of the other
_MATCHED: Final = 1 / 8
_PATTERN: Final = 5.0  # to compile it, which each round does
_PATTERN_OF_CALLER: Final = 2_000.0  # it may repeat what it repeats
_FUNCTION: Final = 10.0


@dataclass(frozen=True, slots=True)
class Work:
    """The most work of an expression.

    Attributes:
        total: The sum of it, in units.
        rounds: By a loop's symbol, how often it goes round in all, but for the bound; those of
            loops around it come first.
        reads: The variables of whose sizes it consists.
    """

    total: Sum = field(default_factory=dict)
    rounds: Mapping[str, Sum] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()

    def of(self, sizes: Mapping[str, tuple[int, int]]) -> float:
        """Returns the units that it is at most.

        Args:
            sizes: Of each variable of `reads`, the bytes and the values.
        """
        values: dict[str, float] = {}
        for name, (length, count) in sizes.items():
            values[name], values[f"#{name}"] = length, count
        for name, over in self.rounds.items():
            values[name] = min(ROUNDS, _value(over, values))
        return _value(self.total, values)


def size(value: object) -> tuple[int, int]:
    """Returns the bytes and the values in what a variable holds (a text, or JSON of bounded size).

    A text counts as one value, and one more for each 16 characters.
    """
    if isinstance(value, str):
        return len(value) + 1, 1 + len(value) // 16
    if isinstance(value, Mapping):
        return _all((*value.keys(), *value.values()))
    if isinstance(value, list):
        return _all(value)
    return 1, 1


def _all(values: Iterable[object]) -> tuple[int, int]:
    length = count = 1
    for each in values:
        more = size(each)
        length += more[0]
        count += more[1]
    return length, count


def work(expression: Any, types: Mapping[int, Any]) -> Work:
    """Returns how much work a tree is.

    Args:
        expression: An `Expr` of `syntax`.
        types: The types of its parts, by id.
    """
    estimate = _Estimate(types)
    total = estimate.of(expression, {})[1]
    symbols = {each for over in (total, *estimate.rounds.values()) for key in over for each in key}
    names = {each.removeprefix("#") for each in symbols}
    return Work(total, estimate.rounds, frozenset(names.intersection(NAMES)))


class _Estimate:
    def __init__(self, types: Mapping[int, Any]) -> None:
        self._types = types
        self._around: list[_Loop] = []
        self.rounds: dict[str, Sum] = {}

    def of(self, node: Any, elements: Mapping[str, Sum]) -> tuple[Sum, Sum]:
        """Returns the size of a node's value, in bytes, and the work to get it.

        Args:
            node: An `Expr`.
            elements: What variables of loops around it are.
        """
        length, cost = self._of(node, elements)
        kind = self._types.get(node.id)
        if kind is not None and (kind.primitive in _NUMBERS or kind.well_known in _TIMES):
            length = _ONE
        return length, cost

    def _of(self, node: Any, elements: Mapping[str, Sum]) -> tuple[Sum, Sum]:
        if node.HasField("constant"):
            return {(): float(len(node.constant.text) + 1)}, _ONE
        if node.HasField("ident"):
            name = node.ident.name.removeprefix(".")
            if name in elements:
                return elements[name], _ONE
            return ({(name,): 1.0} if name in NAMES else _ONE), _ONE
        if node.HasField("select"):
            length, cost = self.of(node.select.operand, elements)
            return length, _plus(cost, _ONE)
        if node.HasField("call"):
            return self._call(node.call, elements)
        if node.HasField("loop"):
            return _ONE, self._loop(node.loop, elements)
        parts = [*node.list.elements]
        for entry in node.struct.entries:
            parts += [each for each in (entry.key, entry.value) if each.ByteSize()]
        found = [self.of(each, elements) for each in parts]
        return _plus(_ONE, *(each for each, _ in found)), _plus(_ONE, *(each for _, each in found))

    def _call(self, call: Any, elements: Mapping[str, Sum]) -> tuple[Sum, Sum]:
        nodes = [call.target, *call.args] if call.HasField("target") else [*call.args]
        found = [self.of(each, elements) for each in nodes]
        lengths = [each for each, _ in found]
        cost = _plus(_ONE, *(each for _, each in found))
        name = call.function
        if name in _PARTS:
            return lengths[0], cost
        if name in _LOGIC:
            return _plus(*lengths), cost
        if name in _COMPARED:
            return _ONE, _plus(cost, self._compared(nodes, lengths))
        if name == "@in":
            in_map = self._is(nodes[1], "map")
            return _ONE, cost if in_map else _plus(cost, self._scanned(nodes[1], lengths[1]))
        if name == "size" and (self._is(nodes[0], "map") or self._is(nodes[0], "list")):
            return _ONE, cost
        if name == "contains":
            product = _times(_times(lengths[0], lengths[1]), {(): _SEARCHED_FOR})
            return _ONE, _plus(cost, _times(lengths[0], {(): _SEARCHED}), product)
        if name == "matches":
            text = _times(lengths[0], {(): _MATCHED})
            return _ONE, _plus(cost, text, _pattern(nodes[1], lengths[1]))
        if name == "_+_":
            scanned = [self._scanned(*each) for each in zip(nodes, lengths, strict=True)]
            return _plus(*lengths), _plus(cost, *scanned)
        length = _plus({(): 32.0}, *lengths)
        return length, _plus(cost, {(): _FUNCTION}, _times(length, {(): _COPIED}))

    def _is(self, node: Any, kind: str) -> bool:
        known = self._types.get(node.id)
        return known is not None and known.HasField(kind)

    def _compared(self, nodes: list[Any], lengths: list[Sum]) -> Sum:
        """Returns the work of comparing two values: no more than either is."""
        scanned = [self._scanned(*each) for each in zip(nodes, lengths, strict=True)]
        return next((each for each in scanned if each.keys() == {()}), _plus(*scanned))

    def _scanned(self, node: Any, length: Sum) -> Sum:
        """Returns the work of going through a value."""
        kind = self._types.get(node.id)
        if kind is None:
            return _times(_counted(length), {(): _MESSAGE})
        if kind.primitive in _TEXTS:
            return _times(length, {(): _COPIED})
        inner = kind.list.element if kind.HasField("list") else kind
        if inner.primitive in _NUMBERS:
            weight = _NUMBER_IN_LIST
        elif inner.primitive in _TEXTS:
            weight = _TEXT_IN_LIST
        else:
            weight = _DYNAMIC if inner.HasField("dynamic") else _MESSAGE
        return _times(_counted(length), {(): weight})

    def _loop(self, loop: Any, elements: Mapping[str, Sum]) -> Sum:
        length, cost = self.of(loop.range, elements)
        number = len(self.rounds) + 1
        around = _Loop(f"@{number}", length, f"*{number}")
        self.rounds[around.rounds] = self._in_all(_counted(length), len(self._around))
        own: Sum = {(around.element,): 1.0}
        inside = {**elements, loop.variable: own, loop.sum: _ONE}
        if loop.second:
            inside[loop.second] = own
        self._around.append(around)
        each = [self.of(part, inside)[1] for part in (loop.condition, loop.step)]
        self._around.pop()
        after = self.of(loop.result, {**elements, loop.sum: _ONE})[1]
        start = self.of(loop.start, elements)[1]
        done = [around.of_all(*term)[0] for term in _plus(*each).items()]
        return _plus(cost, start, after, *done)

    def _in_all(self, rounds: Sum, depth: int) -> Sum:
        """Returns how often a loop goes round in all that does `rounds` at a time.

        Args:
            rounds: As seen within the outermost `depth` loops.
            depth: How many of those around it are still to be counted.
        """
        if not depth:
            return rounds
        total: Sum = {}
        for term in rounds.items():
            done, own = self._around[depth - 1].of_all(*term)
            # The rounds of a loop around it are those in all: they count the ones farther out.
            total = _plus(total, self._in_all(done, depth - 1) if own else done)
        return total


class _Loop(NamedTuple):
    """A loop: the symbol of its element, the size of its range, the symbol of its rounds."""

    element: str
    length: Sum
    rounds: str

    def of_all(self, product: tuple[str, ...], factor: float) -> tuple[Sum, bool]:
        """Returns what all rounds do of which each does `product`, and if its element is in that.

        A loop within has been counted in all, so that it is not multiplied again.
        """
        whole = {self.element: self.length, f"#{self.element}": _counted(self.length)}
        total: Sum = {tuple(symbol for symbol in product if symbol not in whole): factor}
        own = [whole[symbol] for symbol in product if symbol in whole]
        for each in own:
            total = _times(total, each)
        if not own and not any(symbol.startswith("*") for symbol in product):
            total = _times(total, {(self.rounds,): 1.0})
        return total, bool(own)


def _pattern(node: Any, length: Sum) -> Sum:
    """Returns the work of compiling a regular expression."""
    if not node.HasField("constant"):
        return _times(length, {(): _PATTERN_OF_CALLER})
    repeats = (max(map(int, filter(None, each)), default=1) for each in _counts(node.constant.text))
    return _times(length, {(): _PATTERN * max(1, prod(max(1, each) for each in repeats))})


_counts: Final[Callable[[str], list[tuple[str, str]]]] = _REPEAT.findall


def _counted(length: Sum) -> Sum:
    """Returns a size in values for one in bytes."""
    return {
        tuple(each if each.startswith(("#", "*")) else f"#{each}" for each in product): factor
        for product, factor in length.items()
    }


def _plus(*sums: Sum) -> Sum:
    total: Sum = {}
    for each in sums:
        for product, factor in each.items():
            total[product] = total.get(product, 0.0) + factor
    return total


def _times(one: Sum, other: Sum) -> Sum:
    total: Sum = {}
    for left, factor in one.items():
        for right, by in other.items():
            product = tuple(sorted((*left, *right)))
            total[product] = total.get(product, 0.0) + factor * by
    return total


def _value(over: Sum, values: Mapping[str, float]) -> float:
    return sum(factor * prod(values[each] for each in product) for product, factor in over.items())
