r"""Texts that match a pattern of RE2 (github.com/google/re2/wiki/Syntax), as far as rules use it.

Whether a text matches is told here too, at a cost that RE2 has: Python's own expressions try all
ways, and patterns that are harmless in RE2 have no end with them.

That is literals, escapes, classes, groups, alternatives, repetition, and anchors at the ends. What
it can't follow (`\b`, flags, Unicode classes but letters and numbers) is an error at once, never a
text that is nearly right. Characters come from ASCII where the pattern leaves the choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.mock.dice import Dice

_UNBOUNDED: Final = -1
_MOST: Final = 1000  # repetitions, as in RE2
_STEPS: Final = 1 << 17  # a tenth of a second
_PRINTABLE: Final = tuple(map(chr, range(0x20, 0x7F)))
_PLAIN: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_DIGITS: Final = "0123456789"
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_UPPER: Final = _LOWER.upper()
_WORD: Final = _LOWER + _UPPER + _DIGITS + "_"
_SPACE: Final = "\t\n\f\r "
_PUNCTUATION: Final = "".join(each for each in _PRINTABLE if not each.isalnum() and each != " ")
_CLASSES: Final = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_POSIX: Final = {
    "alnum": _LOWER + _UPPER + _DIGITS,
    "alpha": _LOWER + _UPPER,
    "blank": "\t ",
    "digit": _DIGITS,
    "graph": "".join(_PRINTABLE[1:]),
    "lower": _LOWER,
    "print": "".join(_PRINTABLE),
    "punct": _PUNCTUATION,
    "space": _SPACE + "\v",
    "upper": _UPPER,
    "word": _WORD,
    "xdigit": _DIGITS + "abcdefABCDEF",
}
_UNICODE: Final = {"L": _LOWER + _UPPER, "Lu": _UPPER, "Ll": _LOWER, "N": _DIGITS, "Nd": _DIGITS}
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_COUNTED: Final = re.compile(r"\{(\d{1,4})(?:(,)(\d{0,4}))?\}")
_GROUP: Final = re.compile(r"\?(?:P?<[A-Za-z_]\w*>|:)")


class PatternError(ValueError):
    """A pattern that can't be followed. The text says why."""


@dataclass(frozen=True, slots=True)
class _Set:
    """One character of these."""

    choices: str


@dataclass(frozen=True, slots=True)
class _Repeated:
    """Something, from `least` to `most` times."""

    of: _Node
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class _Choice:
    """One of several sequences."""

    ways: tuple[tuple[_Node, ...], ...]


_Node: TypeAlias = "_Set | _Repeated | _Choice"


class Pattern:
    """A pattern that texts can be made of.

    Args:
        text: The pattern.

    Raises:
        PatternError: It can't be followed.
    """

    __slots__ = ("_root",)

    def __init__(self, text: str) -> None:
        reader = _Reader(text)
        self._root = reader.choice()
        if not reader.ended:
            raise PatternError("an unexpected )")

    def text(
        self, dice: Dice, more: int = 0, *, exactly: bool = False, effort: Effort | None = None
    ) -> str:
        """Returns a text that matches.

        Args:
            dice: Decides what is open.
            more: By how many times more than needed anything is repeated at most.
            exactly: Whether it is repeated so often wherever it can be; else chance decides.
            effort: What it may cost, with all that was made with it before; None for one text's.

        Raises:
            PatternError: It would cost more.
        """
        writer = _Writer(dice, more, effort or Effort(), exactly=exactly)
        writer.write(self._root)
        return "".join(writer.parts)

    def matches(self, text: str) -> bool:
        """Whether a text as a whole is one that could be made; a search would find more."""
        try:
            return len(text) in _ends(self._root, text, {0}, Effort())
        except PatternError:
            return False


def _ends(node: _Node, text: str, starts: set[int], effort: Effort) -> set[int]:
    """Returns where in a text a part of a pattern can end that begins at one of some places."""
    effort.spend(len(starts))
    match node:
        case _Set(choices):
            return {at + 1 for at in starts if text[at : at + 1] and text[at] in choices}
        case _Choice(ways):
            found: set[int] = set()
            for way in ways:
                ends = starts
                for each in way:
                    ends = _ends(each, text, ends, effort) if ends else ends
                found |= ends
            return found
        case _Repeated(of, least, most):
            ends, count = starts, 0
            while ends and count < least:
                ends, count = _ends(of, text, ends, effort), count + 1
            found, newest = set(ends), ends
            while newest and (most == _UNBOUNDED or count < most):
                newest, count = _ends(of, text, newest, effort) - found, count + 1
                found |= newest
            return found


class Effort:
    """How many steps there may be: repetitions within repetitions have no end otherwise."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _STEPS

    def spend(self, steps: int = 1) -> None:
        """Takes steps.

        Raises:
            PatternError: There were not so many left.
        """
        self._left -= steps
        if self._left < 0:
            raise PatternError("its texts are too long")


class _Writer:
    """Writes a text of a pattern."""

    def __init__(self, dice: Dice, more: int, effort: Effort, *, exactly: bool) -> None:
        self.parts: list[str] = []
        self._dice = dice
        self._more = more
        self._effort = effort
        self._exactly = exactly

    def write(self, node: _Node) -> None:
        dice = self._dice
        self._effort.spend()
        match node:
            case _Set(choices):
                plain = [each for each in choices if each in _PLAIN]
                self.parts.append(dice.pick(plain or choices))
            case _Repeated(of, least, most):
                top = least + self._more if most == _UNBOUNDED else min(least + self._more, most)
                for _ in range(top if self._exactly else dice.between(least, top)):
                    self.write(of)
            case _Choice(ways):
                for each in dice.pick(ways):
                    self.write(each)


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    @property
    def ended(self) -> bool:
        return self._at >= len(self._text)

    def choice(self) -> _Choice:
        """Reads alternatives, to the end or the `)` that ends them."""
        ways = [self._sequence()]
        while self._take("|"):
            ways.append(self._sequence())
        return _Choice(tuple(ways))

    def _sequence(self) -> tuple[_Node, ...]:
        found: list[_Node] = []
        while not self.ended and self._text[self._at] not in "|)":
            if self._take("^") or self._take(r"\A"):
                if self._depth or len(found) > 0:
                    raise PatternError("an anchor within it")
                continue
            if self._take("$") or self._take(r"\z"):
                if self._depth or self._text[self._at : self._at + 1] not in ("", "|"):
                    raise PatternError("an anchor within it")
                continue
            found.append(self._repeated(self._atom()))
        return tuple(found)

    def _atom(self) -> _Node:
        character = self._next()
        match character:
            case "(":
                if self._at < len(self._text) and self._text[self._at] == "?":
                    named = _GROUP.match(self._text, self._at)
                    if named is None:
                        raise PatternError("flags in a group")
                    self._at = named.end()
                self._depth += 1
                if self._depth > 50:
                    raise PatternError("groups nested too deep")
                inner = self.choice()
                self._depth -= 1
                if not self._take(")"):
                    raise PatternError("a group without its )")
                return inner
            case "[":
                return _Set(self._bracketed())
            case ".":
                return _Set("".join(_PRINTABLE))
            case "\\":
                return _Set(self._escaped())
            case "*" | "+" | "?":
                raise PatternError(f"nothing before {character}")
        return _Set(character)

    def _repeated(self, of: _Node) -> _Node:
        if self.ended:
            return of
        bounds = {"*": (0, _UNBOUNDED), "+": (1, _UNBOUNDED), "?": (0, 1)}
        found = bounds.get(self._text[self._at])
        if found is not None:
            self._at += 1
        elif counted := _COUNTED.match(self._text, self._at):
            self._at = counted.end()
            least, most = int(counted[1]), int(counted[3] or _UNBOUNDED)
            found = (least, most if counted[2] else least)
            if least > _MOST or most > _MOST or (most != _UNBOUNDED and most < least):
                raise PatternError("a repetition out of range")
        else:
            return of
        self._take("?")  # lazy or not: the texts are the same
        if self._text[self._at : self._at + 1] in bounds or _COUNTED.match(self._text, self._at):
            raise PatternError("a repetition of a repetition")
        return _Repeated(of, *found)

    def _escaped(self) -> str:
        """Reads what follows a backslash; returns the characters that it stands for."""
        character = self._next()
        if character.lower() in _CLASSES:
            known = _CLASSES[character.lower()]
            return known if character.islower() else _others(known)
        if character in "pP":
            name = self._next()
            if name == "{":
                name = self._until("}")
            negated = (character == "P") != name.startswith("^")
            known = _UNICODE.get(name.removeprefix("^"), "")
            if not known:
                raise PatternError(f"the Unicode class {name}")
            return _others(known) if negated else known
        if character == "x":
            digits = self._until("}") if self._take("{") else self._next() + self._next()
            try:
                return chr(int(digits, 16))
            except (ValueError, OverflowError):
                raise PatternError(f"the escape \\x{digits}") from None
        if character in _ESCAPES:
            return _ESCAPES[character]
        if character.isalnum():
            raise PatternError(f"the escape \\{character}")
        return character

    def _bracketed(self) -> str:
        """Reads a class, behind its `[`; returns its characters."""
        negated = self._take("^")
        found: list[str] = []
        first = True
        while first or not self._take("]"):
            first = False
            if self._take("[:"):
                name = self._until(":]")
                known = _POSIX.get(name.removeprefix("^"))
                if known is None:
                    raise PatternError(f"the class [:{name}:]")
                found.append(_others(known) if name.startswith("^") else known)
                continue
            one = self._member()
            rest = self._text[self._at : self._at + 2]
            if len(one) == 1 and len(rest) == 2 and rest[0] == "-" and rest[1] != "]":
                self._at += 1
                last = self._member()
                if len(last) != 1 or last < one:
                    raise PatternError("a range in a class that is none")
                # Of what is wide, the beginning: texts of any script are long enough with it.
                top = min(ord(last), ord(one) + 255)
                one = "".join(map(chr, range(ord(one), top + 1)))
            found.append(one)
        characters = "".join(found)
        if not negated:
            return characters
        others = _others(characters)
        if not others:
            raise PatternError("a class of nothing in ASCII")
        return others

    def _member(self) -> str:
        character = self._next()
        return self._escaped() if character == "\\" else character

    def _next(self) -> str:
        if self.ended:
            raise PatternError("it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _take(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _until(self, end: str) -> str:
        stop = self._text.find(end, self._at)
        if stop < 0:
            raise PatternError(f"no {end}")
        found = self._text[self._at : stop]
        self._at = stop + len(end)
        return found


def _others(characters: str) -> str:
    return "".join(each for each in _PRINTABLE if each not in characters)
