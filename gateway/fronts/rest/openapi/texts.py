"""What a comment of a proto says: a summary, a description, examples, that something goes away.

A line `Example: …` (or `@example …`) gives an example, as JSON or as bare text. A line that begins
with `@deprecated` or `Deprecated:` says that nobody should begin to use it. Both may be in any
comment; what is meant for tools (`buf:lint:…`) or for insiders (`(-- … --)`, AIP-192) is left out.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Final, NamedTuple

_EXAMPLE: Final = re.compile(r"\s*(?:@example\b:?|Example:)\s*(\S.*?)\s*", re.IGNORECASE)
_DEPRECATED: Final = re.compile(r"\s*(?:@deprecated\b:?|Deprecated:)\s*(.*)", re.IGNORECASE)
_FOR_TOOLS: Final = re.compile(r"\s*buf:lint:")
_FOR_INSIDERS: Final = re.compile(r"\(--.*?--\)", re.DOTALL)
_SENTENCE: Final = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)
_CODE: Final = re.compile(r"`+([^`]+)`+")
_LONGEST: Final = 120  # characters of a summary


class Text(NamedTuple):
    """What a comment says.

    Attributes:
        summary: Its first sentence as plain text, without its full stop; empty where that is no
            short one.
        description: All of it, but the lines with examples, in Markdown.
        examples: As they stand.
        deprecated: Whether it says that it goes away.
        further: What the description says beyond the summary.
    """

    summary: str = ""
    description: str = ""
    examples: tuple[str, ...] = ()
    deprecated: bool = False
    further: str = ""

    def examples_of(self, kind: object) -> list[object]:
        """Returns the examples as values of a JSON type, those that are no such values left out.

        Args:
            kind: The `type` of a schema; None for any.
        """
        found = []
        for text in self.examples:
            value = _value(text, kind)
            if kind is None or isinstance(value, _TYPES.get(str(kind), object)):
                found.append(value)
        return found


_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def text_of(comment: str | None) -> Text:
    """Reads a comment; None is none."""
    if not comment:
        return Text()
    kept, examples, deprecated = [], [], False
    for line in _FOR_INSIDERS.sub("", comment).splitlines():
        if _FOR_TOOLS.match(line):
            continue
        if (example := _EXAMPLE.fullmatch(line)) is not None:
            examples.append(example[1])
            continue
        if (ending := _DEPRECATED.fullmatch(line)) is not None:
            deprecated = True
            kept.append(f"Deprecated: {ending[1]}" if ending[1] else "Deprecated.")
        else:
            kept.append(line)
    description = "\n".join(kept).strip()
    first = _first(description)
    summary = _CODE.sub(r"\1", " ".join(first.split())).removesuffix(".")
    if len(summary) > _LONGEST:
        summary, first = "", ""
    further = description.removeprefix(first).strip()
    return Text(summary, description, tuple(examples), deprecated, further)


def joined(*parts: str) -> str:
    """Returns paragraphs as one text, the empty ones left out."""
    return "\n\n".join(filter(None, parts))


def _first(description: str) -> str:
    """Returns the first sentence, or the first paragraph where that is none, as it stands."""
    paragraph = description.partition("\n\n")[0]
    found = _SENTENCE.match(paragraph)
    return found[1] if found else paragraph


def _value(text: str, kind: object) -> object:
    try:
        value: object = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return text.strip("`")
    # `Example: 42` of a text is the text 42.
    return text if kind == "string" and not isinstance(value, str) else value


def _finite(text: str) -> float:
    """Reads a number that JSON can write again: Python's `json` takes `NaN` and `1e999` too.

    Raises:
        ValueError: It can't.
    """
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value
