"""The error of the codec: what is wrong with a body or a message, in words fit for clients."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import Violation


class CodecError(ValueError):
    """JSON, or protobuf bytes, that are not the message they should be.

    `str()` of it is a clean sentence: no parser's text, no names of classes.

    Attributes:
        violations: The faults, each with its path in the JSON as the client writes it
            (`items[2].price.units`); the empty path is the whole value. Empty where the fault has
            no place in a message: text that is no JSON at all, protobuf that can't be decoded.
        malformed: The text is no JSON, so nothing is known of the message in it.
    """

    def __init__(
        self, text: str, violations: Sequence[Violation] = (), *, malformed: bool = False
    ) -> None:
        super().__init__(text)
        self.violations = tuple(violations)
        self.malformed = malformed

    @classmethod
    def of(cls, violations: Sequence[Violation]) -> CodecError:
        """Makes the error of one or more faults."""
        path, description = violations[0]
        text = f"{path}: {description}" if path else f"The value is wrong: {description}"
        if more := len(violations) - 1:
            text += f" (and {more} more)"
        end = "" if description.endswith("?") else "."
        return cls(text + end, violations)
