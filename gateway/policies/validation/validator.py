"""Checks request messages by the rules of their type: right, or an error that names each fault.

What a rule can't be asked about is refused: a request that is too large for it (`limits`), and one
for which it fails. The library's own words for a failure may quote values, and go nowhere: the log
has which rule it was, once in a while. What a broken rule says are the words of the proto's author,
or the library's for a standard rule.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from protovalidate import CompilationError, EvaluationError, Validator
from protovalidate import Violation as Broken

from gateway.call import RpcError
from gateway.errors import Violation, error
from gateway.policies.validation.limits import ALL_TOLD, DESCRIPTION, TOLD, Most
from gateway.policies.validation.paths import json_path
from gateway.policies.validation.sizes import fits

log = logging.getLogger("gateway.validation")

_QUIET: Final = 60.0  # seconds between two lines on one type
_SMALL: Final = Most(None, ALL_TOLD, ALL_TOLD)


class RuleError(Exception):
    """A rule that does not compile. Its text is for the operator."""


class Checker:
    """Makes and keeps what checks messages, for the types of one generation."""

    def __init__(self) -> None:
        self._validator = Validator()

    def compile(self, message: Descriptor) -> None:
        """Compiles the rules that a message type itself declares.

        Raises:
            RuleError: One can't be compiled.
        """
        empty = GetMessageClass(message)()
        try:
            self._validator.collect_violations(empty)
        except CompilationError as failure:
            raise RuleError(str(failure).partition("\n")[0]) from None
        except EvaluationError as failure:
            # Whether a value has what a rule reads, it finds out only where it is evaluated.
            if "no_such_field" in str(failure):
                raise RuleError(str(failure).partition("\n")[0]) from None

    def requests(self, message: Descriptor, most: Most) -> Requests:
        """Returns what checks requests of a type whose rules were compiled.

        Args:
            message: The type.
            most: What a request may have within it.
        """
        return Requests(self._validator, message, most)


class Requests:
    """Checks the requests of one type.

    Args:
        validator: The library's.
        message: The type.
        most: What a request may have within it.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        validator: Validator,
        message: Descriptor,
        most: Most,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collect = validator.collect_violations
        self._type = message
        self._class = GetMessageClass(message)
        self._most = most
        self._clock = clock
        self._quiet_until = 0.0

    def check(self, data: bytes) -> None:
        """Returns if a serialized request keeps all rules.

        Raises:
            RpcError: VALIDATION_FAILED: it breaks some. INVALID_BODY: it is no message of the type,
                or has a text that is not UTF-8. MESSAGE_TOO_LARGE: it is more than rules are asked
                about. INTERNAL: a rule failed.
        """
        length, most = len(data), self._most
        if most.size is not None and length > most.size:
            raise error(
                "MESSAGE_TOO_LARGE",
                f"The request has more than {most.size} bytes, too many for its type's rules.",
            )
        try:
            message = self._class.FromString(data)
        except DecodeError:
            raise error("INVALID_BODY", "The request is no message of the method's.") from None
        if not fits(message, length, most):
            raise error(
                "MESSAGE_TOO_LARGE",
                "The request has too many elements for its type's rules: more than "
                f"{most.messages if most.elements is None else most.elements}.",
            )
        try:
            broken = self._broken(message, length)
        except (CompilationError, EvaluationError) as failure:
            self._tell(str(failure))
            raise error("INTERNAL", "A rule for the request can't be evaluated.") from None
        except (TypeError, UnicodeDecodeError):
            # A text of proto2 may be any bytes: the library takes those for a wrong argument.
            raise error("INVALID_BODY", "The request has a text that is not UTF-8.") from None
        if broken:
            raise self._refusal(broken)

    def _broken(self, message: Message, length: int) -> list[Broken]:
        if length <= ALL_TOLD:
            return self._collect(message)
        first = self._collect(message, fail_fast=True)
        return self._collect(message) if first and fits(message, length, _SMALL) else first

    def _refusal(self, broken: list[Broken]) -> RpcError:
        violations = [self._violation(each) for each in broken[:TOLD]]
        path, description = violations[0]
        text = f"{path}: {description}" if path else description
        if more := len(broken) - 1:
            text += f" (and {more} more)"
        text = f"The request breaks its type's rules: {text}."
        return error("VALIDATION_FAILED", text, violations=violations)

    def _violation(self, broken: Broken) -> Violation:
        said = broken.proto
        path = "" if said.field is None else json_path(self._type, said.field.elements)
        text = " ".join(said.message.split()) or f"breaks the rule {said.rule_id}"
        if len(text) > DESCRIPTION:
            text = text[:DESCRIPTION] + "…"
        return Violation(path, f"{text} (its key)" if said.for_key else text)

    def _tell(self, failure: str) -> None:
        now = self._clock()
        if now < self._quiet_until:
            return
        self._quiet_until = now + _QUIET
        # "error evaluating RULE: …"; what follows may quote values.
        which = failure.partition(":")[0]
        log.error("a request of type %s can't be checked: %s", self._type.full_name, which)
