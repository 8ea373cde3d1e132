"""Path templates of `google.api.http` rules, parsed.

The grammar is that of google/api/http.proto ("Path template syntax"), and what it leaves open is
decided here:

    Template  = "/" [ Segments ] [ Verb ]          "/" alone is the root path
    Segments  = Segment { "/" Segment }
    Segment   = "*" | "**" | LITERAL | Variable
    Variable  = "{" FieldPath [ "=" Segments ] "}"
    FieldPath = IDENT { "." IDENT }
    Verb      = ":" LITERAL
    LITERAL   = one or more of RFC 3986's pchar without ":" and "*", or characters beyond ASCII

A literal means its percent-decoded form; a colon or a star in one is written `%3A`, `%2A`. After
`**` only literals and a verb may follow. This module knows neither requests nor descriptors: the
field a variable names is looked up by `rules`.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NoReturn, TypeAlias

from gateway.routing.escape import EscapeError, decode

_IDENT_START = frozenset(string.ascii_letters + "_")
_IDENT = _IDENT_START | frozenset(string.digits)
# RFC 3986 section 3.3, less ":" (the verb's) and "*" (the wildcard's).
_LITERAL = frozenset(string.ascii_letters + string.digits + "-._~!$&'()+,;=@%")


class Wildcard(Enum):
    """A segment of a template that is not a literal."""

    ONE = "*"
    MANY = "**"


Segment: TypeAlias = "str | Wildcard"
"""A percent-decoded literal, or a wildcard."""


class TemplateError(ValueError):
    """A template that is not one.

    Attributes:
        template: The template's text.
        column: 1-based column of what is wrong.
        problem: What is wrong, and what was expected.
    """

    def __init__(self, template: str, column: int, problem: str) -> None:
        super().__init__(f'template "{template}", column {column}: {problem}')
        self.template = template
        self.column = column
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: the field it names, and the segments of the template that it captures.

    Attributes:
        path: The field's path, by proto names.
        start: Index of its first segment.
        stop: Index after its last segment.
        multiple: Whether it can match more than one segment, or another number than one: then `%2F`
            stays as it is in what it captures.
        column: 1-based column of its name in the template.
    """

    path: tuple[str, ...]
    start: int
    stop: int
    multiple: bool
    column: int

    @property
    def name(self) -> str:
        """The field's path as written, `book.name`."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. Two templates of the same `shape` match the same paths.

    Attributes:
        text: As written.
        segments: Literals (decoded) and wildcards; a variable's own segments among them.
        variables: In the order of the path.
        verb: The verb (decoded) without its colon, or None.
    """

    text: str
    segments: tuple[Segment, ...]
    variables: tuple[Variable, ...] = field(default=())
    verb: str | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def shape(self) -> tuple[tuple[Segment, ...], str | None]:
        """What decides which paths match: the segments and the verb, not the variables' names."""
        return self.segments, self.verb

    def under(self, prefix: Template) -> Template:
        """Returns this template with `prefix` (`parse_prefix`) before it."""
        shift = len(prefix.segments)
        return Template(
            text=prefix.text + self.text,
            segments=prefix.segments + self.segments,
            variables=tuple(
                replace(item, start=item.start + shift, stop=item.stop + shift)
                for item in self.variables
            ),
            verb=self.verb,
        )


def parse(text: str) -> Template:
    """Parses a template.

    Raises:
        TemplateError: It does not follow the grammar, a variable stands in another or is named
            twice, or something else than literals and a verb follows `**`.
    """
    return _Parser(text).template()


def parse_prefix(text: str) -> Template:
    """Parses what is put before every template (`Template.under`): empty, `/`, `/api`, `/api/`.

    Raises:
        TemplateError: It is not a path of literals.
    """
    template = parse(text.rstrip("/") or "/")
    if template.verb is not None or any(isinstance(part, Wildcard) for part in template.segments):
        raise TemplateError(text, 1, "a prefix is made of literal segments only")
    return template if template.segments else replace(template, text="")


class _Parser:
    """One pass over a template's text, without recursion: a variable can't hold another."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._segments: list[Segment] = []
        self._variables: list[Variable] = []
        self._open: tuple[tuple[str, ...], int, int] | None = None

    def template(self) -> Template:
        if self._next() != "/":
            self._expected('"/"')
        self._at += 1
        verb = None
        if self._at < len(self._text):
            self._read_segments()
            if self._next() == ":":
                self._at += 1
                verb = self._literal("a verb")
            if self._at < len(self._text):
                self._expected('"/", a verb or the end')
        return Template(self._text, tuple(self._segments), tuple(self._variables), verb)

    def _read_segments(self) -> None:
        while True:
            self._segment()
            if self._open is not None and self._next() == "}":
                self._close()
            if self._next() != "/":
                break
            self._at += 1
        if self._open is not None:
            self._expected('"/" or "}"')

    def _segment(self) -> None:
        match self._next():
            case "{":
                self._variable()
            case "*":
                self._wildcard()
            case _:
                self._append(self._literal("a segment"), self._at)

    def _wildcard(self) -> None:
        start = self._at
        text = "**" if self._text.startswith("**", start) else "*"
        self._at += len(text)
        if self._next() not in ("", "/", ":", "}"):
            self._fail(f'"{text}" is a segment of its own; a literal star is written "%2A"')
        self._append(Wildcard(text), start)

    def _append(self, segment: Segment, start: int) -> None:
        if isinstance(segment, Wildcard) and Wildcard.MANY in self._segments:
            self._fail('only literals and a verb may follow "**"', start)
        self._segments.append(segment)

    def _variable(self) -> None:
        start = self._at
        if self._open is not None:
            self._fail("a variable can't stand in another")
        if Wildcard.MANY in self._segments:
            self._fail('only literals and a verb may follow "**"')
        self._at += 1
        column = self._at + 1
        path = self._field_path()
        if any(path == known.path for known in self._variables):
            self._fail(f'the variable "{".".join(path)}" is named twice', column - 1)
        self._open = path, len(self._segments), column
        if self._next() == "=":
            self._at += 1
            if self._next() in ("", "}"):
                self._expected("the variable's segments")
            self._segment()
        elif self._next() == "}":
            self._append(Wildcard.ONE, start)
        else:
            self._expected('".", "=" or "}"')

    def _close(self) -> None:
        assert self._open is not None
        path, start, column = self._open
        self._at += 1
        if self._next() not in ("", "/", ":"):
            self._expected('"/", ":" or the end: a variable takes whole segments')
        captured = self._segments[start:]
        multiple = len(captured) != 1 or captured[0] is Wildcard.MANY
        variable = Variable(path, start, len(self._segments), multiple, column)
        self._variables.append(variable)
        self._open = None

    def _field_path(self) -> tuple[str, ...]:
        names: list[str] = []
        while True:
            start = self._at
            if self._next() not in _IDENT_START:
                self._expected("a field's name")
            while self._next() in _IDENT:
                self._at += 1
            names.append(self._text[start : self._at])
            if self._next() != ".":
                return tuple(names)
            self._at += 1

    def _literal(self, what: str) -> str:
        start = self._at
        while (char := self._next()) in _LITERAL or "\x7f" < char < "\ud800" or char > "\udfff":
            self._at += 1
        if start == self._at:
            self._expected(f"{what}")
        if self._next() not in ("", "/", ":", "}"):
            self._expected('"/", ":" or the end: other characters are percent-encoded')
        try:
            literal = decode(self._text[start : self._at].encode().decode("latin-1"))
        except EscapeError as error:
            self._fail(str(error), start)
        if literal in (".", ".."):
            self._fail(f'a path with the segment "{literal}" never gets here', start)
        return literal

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _expected(self, what: str) -> NoReturn:
        found = f'"{self._next()}"' if self._next() else "the end"
        self._fail(f"expected {what}, found {found}")

    def _fail(self, problem: str, at: int | None = None) -> NoReturn:
        raise TemplateError(self._text, (self._at if at is None else at) + 1, problem)


def text_of(segments: Sequence[Segment], verb: str | None) -> str:
    """Returns a shape as text, for errors: `/v1/shelves/*:move`."""
    path = "/" + "/".join(part if isinstance(part, str) else part.value for part in segments)
    return path if verb is None else f"{path}:{verb}"
