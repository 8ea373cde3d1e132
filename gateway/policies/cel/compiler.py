"""Compiles conditions against the types of one registry; each text once.

Whatever is wrong is found here, at start-up: what does not parse, what has the wrong types, what
could cost too much. What an expression reads is taken from its tree, and then it is compiled anew
knowing these variables only: so it can't read anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from cel_expr_python import cel
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from gateway.policies.cel.condition import AUTHORIZES, Condition, Decode, Use
from gateway.policies.cel.limits import TEXT, WORK
from gateway.policies.cel.mistakes import mistake
from gateway.policies.cel.syntax import Reading, TooDeep, reading
from gateway.policies.cel.variables import CLAIMS, METADATA, NAMES, REQUEST, TEXTS, VARIABLES

_HALF: Final = re.compile("[\ud800-\udfff]")
_ANY: Final = "google.protobuf.Any"


class ConditionError(Exception):
    """A text that is no condition. Says why, for whoever wrote it.

    Attributes:
        general: The same without what only one type of request can say.
        lacks_field: Whether it names a field that the request has not.
    """

    def __init__(self, text: str, general: str = "", *, lacks_field: bool = False) -> None:
        super().__init__(text)
        self.general = general or text
        self.lacks_field = lacks_field


class Compiler:
    """Compiles conditions.

    Args:
        pool: The types that they know.
        use: What they are asked for.
    """

    def __init__(self, pool: DescriptorPool, use: Use = AUTHORIZES) -> None:
        self._pool = pool
        self._use = use
        self._holds_any: dict[str, bool] = {}
        self._compiled: dict[tuple[str, str], Condition] = {}
        self._without_request: dict[str, Condition] = {}

    def compile(self, text: str, request_type: str) -> Condition:
        """Returns a condition, the same for the same text and type.

        Args:
            text: In CEL.
            request_type: The full name of the method's input type.

        Raises:
            ConditionError: It does not compile, is not of type bool, or may cost too much.
        """
        known = self._without_request.get(text) or self._compiled.get((text, request_type))
        if known is None:
            known = self._compile(text, request_type)
            if known.reads_request:
                self._compiled[text, request_type] = known
            else:
                self._without_request[text] = known
        return known

    def _compile(self, text: str, request_type: str) -> Condition:
        if not text.strip():
            raise ConditionError("the condition is empty; expected CEL, such as: true")
        if not text.isascii() and _HALF.search(text):
            raise ConditionError("the condition has half a character, a surrogate")
        if len(text) > TEXT:
            raise ConditionError(f"the condition has more than {TEXT} characters")
        found = self._checked(text, request_type)
        names = found.names.intersection(NAMES)
        expression, kind, _ = self._expression(text, names, request_type)
        if kind != "BOOL":
            raise ConditionError(
                f"the condition is of type {kind.lower()}, not bool; compare it with what it must "
                "be, as in: claims.admin == true"
            )
        decode: Decode | None = None
        mapped = False
        if REQUEST in names:
            mapped = self._has_maps(request_type)
            decode = GetMessageClass(self._pool.FindMessageTypeByName(request_type)).FromString
        return Condition(
            text,
            expression.eval,
            names=names,
            reading=found,
            decode=decode,
            mapped=mapped,
            use=self._use,
        )

    def _checked(self, text: str, request_type: str) -> Reading:
        """Returns what a text reads that can be a condition."""
        try:
            tree = self._expression(text, NAMES, request_type)[2]
            found = reading(tree, self._holds)
        except TooDeep:
            raise ConditionError("the condition is nested too deep") from None
        if found.builds_lists:
            raise ConditionError(
                "map and filter are not available: the time they take grows with the square of "
                "the list; use exists, exists_one, all, or in"
            )
        if not found.work.reads and found.work.of({}) > WORK:
            raise ConditionError("the condition takes too long, whatever it is asked about")
        if found.unpacks:
            raise ConditionError(
                "what is in a google.protobuf.Any can't be looked at, nor can messages be compared "
                "or copied that may have one: a client could nest them without end"
            )
        for key in found.keys.get(METADATA) or ():
            if key != key.lower():
                raise ConditionError(f'no metadata has the key "{key}": keys are in lower case')
        return found

    def _holds(self, message: str) -> bool:
        """Whether a message type has an Any among its fields, or theirs."""
        known = self._holds_any.get(message)
        if known is None:
            known = self._holds_any[message] = _ANY in self._within(message)
        return known

    def _has_maps(self, message: str) -> bool:
        find = self._pool.FindMessageTypeByName
        return any(find(each).GetOptions().map_entry for each in self._within(message))

    def _within(self, message: str) -> set[str]:
        """Returns the message types of a type's fields, and of theirs."""
        within: set[str] = set()
        ahead = [self._pool.FindMessageTypeByName(message)]
        while ahead:
            for field in ahead.pop().fields:
                kind = field.message_type
                if kind is not None and kind.full_name not in within:
                    within.add(kind.full_name)
                    ahead.append(kind)
        return within

    def _expression(
        self, text: str, names: Iterable[str], request_type: str
    ) -> tuple[cel.Expression, str, bytes]:
        """Returns a checked expression, the name of its type, and its tree."""
        variables = {name: _type(name, request_type) for name in names}
        env = cel.NewEnv(descriptor_pool=self._pool, variables=variables)
        try:
            expression = env.compile(text)
            return expression, expression.return_type().name(), expression.serialize()
        except Exception as failure:  # noqa: BLE001  whatever the library raises for a text
            raise self._error(str(failure), text, request_type) from None

    def _error(self, raw: str, text: str, request_type: str) -> ConditionError:
        wrong = mistake(raw, text, request_type, self._pool.FindMessageTypeByName)
        return ConditionError(wrong.text, wrong.general, lacks_field=wrong.lacks_field)


def _type(name: str, request_type: str) -> cel.Type:
    kind = cel.Type
    if name == REQUEST:
        return kind(request_type)
    if name == CLAIMS:
        return kind.Map(kind.STRING, kind.DYN)
    if name == METADATA:
        return kind.Map(kind.STRING, kind.STRING)
    return kind.List(kind.STRING) if VARIABLES[name].type == TEXTS else kind.STRING
