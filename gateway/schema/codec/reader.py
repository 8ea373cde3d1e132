"""How a JSON text becomes a message: fast where nothing is suspicious, exact where something is.

The fast way is `json`'s C parser with a hook for each object, then protobuf-py's native parser from
the value. When the hooks suspect something or the parser refuses, the text is parsed again with
nothing lost and checked against the descriptors: so errors are ours, and have paths.

Why not protobuf-py's parser of text? It lets repeated names, two members of a oneof and both
spellings of a field pass, and crashes the process on deep nesting (measured: 100,000 brackets with
8 MiB of stack, 96 with 128 KiB). To look for repeated names by a regular expression first costs
nearly as much as `json` does, and tells nothing of lists, whose elements repeat their names. The
figures are in docs/json.md, by bench/codec.py.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.schema.codec.check import Check
from gateway.schema.codec.errors import CodecError
from gateway.schema.codec.text import MOST_VALUES, JsonValue, Tree, is_beyond, loads, parse, plain
from gateway.schema.codec.traits import Traits, WideNumberError, decoder
from gateway.schema.codec.types import Message


class Reader:
    """Reads the JSON of one message type, or of one field.

    Args:
        traits: Of the type.
        max_depth: The most levels of arrays and objects.
        make: From a JSON value to a message; raises anything.
        check: Checks a value.
        fallback: Does what `make` does, by the reference.
    """

    __slots__ = (
        "_check",
        "_decode",
        "_decode_wide",
        "_fallback",
        "_make",
        "_max_depth",
        "_most_values",
    )

    def __init__(
        self,
        traits: Traits,
        max_depth: int,
        make: Callable[[JsonValue], Message],
        check: Callable[[Tree], Check],
        fallback: Callable[[JsonValue], Message],
    ) -> None:
        self._decode = decoder(traits)
        self._decode_wide = decoder(traits, wide_numbers=True)
        self._max_depth = max_depth
        # A number in a Value takes two bytes of text and 250 of memory.
        self._most_values = MOST_VALUES if traits.has_value else None
        self._make = make
        self._check = check
        self._fallback = fallback

    def read(self, body: bytes) -> Message:
        """Returns the message of a JSON text.

        Raises:
            CodecError: It is no JSON, or not of the type.
        """
        try:
            if not is_beyond(body, self._max_depth, self._most_values):
                # An escape may be half of a surrogate pair, which is found when it is serialized.
                verify = b"\\u" in body
                try:
                    value = loads(body, self._decode)
                except WideNumberError:
                    value = loads(body, self._decode_wide)
                    verify = True
                if value is not None:
                    message = self._make(value)
                    if verify:
                        message.to_binary()
                    return message
        # Whatever a parser says, the check knows better.
        except Exception:  # noqa: BLE001, S110  # as said
            pass
        return self._examined(body)

    def _examined(self, body: bytes) -> Message:
        tree = parse(body, self._max_depth)
        try:
            check = self._check(tree)
            if not check.violations:
                return self._made(plain(tree, check.replaced), native=not check.foreign_any)
        except RecursionError:
            raise CodecError("The JSON is nested too deeply for its type.") from None
        except Exception:  # noqa: BLE001  # the check found nothing, so there are no better words
            raise CodecError("The value does not fit its type.") from None
        raise CodecError.of(check.violations)

    def _made(self, value: JsonValue, *, native: bool) -> Message:
        if native:
            try:
                message = self._make(value)
                message.to_binary()
            except RecursionError:
                raise
            except Exception:  # noqa: BLE001, S110  # what it refuses by mistake, the reference reads
                pass
            else:
                return message
        return self._fallback(value)
