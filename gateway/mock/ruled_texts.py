"""Texts and bytes that keep the rules of `buf.validate` on them.

A wish (an example, what a name tells) is taken if it keeps the rules. Else a text is made of them:
its format, its pattern, or words that are cut and filled to its length. What can't be made so is
None; rules in CEL are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final

from gateway.mock import texts
from gateway.mock.declared import Rules
from gateway.mock.dice import Dice
from gateway.mock.patterns import Effort, Pattern, PatternError

_TRIES: Final = 24
_REPEATED: Final = 256
_FILLING: Final = 4096  # characters; who wants more than that gets them, up to `_LONGEST`
_LONGEST: Final = 1 << 20

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = rf"(?=.{{1,200}}\Z)(?:{_LABEL}\.)*[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
_BYTE: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4: Final = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_IPV6: Final = r"2001:db8::[0-9a-f]{1,4}"
_URI: Final = rf"https?://{_HOST}(?::\d{{1,4}})?(?:/[A-Za-z0-9._~-]*)*"
_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"


def _bare_uuid(dice: Dice) -> str:
    return texts.uuid(dice).replace("-", "")


def _with_port(dice: Dice) -> str:
    return f"{texts.host(dice)}:{dice.between(1024, 9999)}"


def _qualified(dice: Dice) -> str:
    return f"{texts.word(dice)}.v1.{texts.word(dice).capitalize()}"


# By rule: what makes such texts, and what surely is one. The second refuses some that would do.
_FORMATS: Final[dict[str, tuple[texts.Make, str]]] = {
    "email": (texts.email, rf"[a-z0-9.+_-]+@{_HOST}"),
    "hostname": (texts.host, _HOST),
    "ip": (texts.ipv4, _IPV4),
    "ipv4": (texts.ipv4, _IPV4),
    "ipv6": (texts.ipv6, _IPV6),
    "uri": (texts.url, _URI),
    "uri_ref": (texts.url, _URI),
    "address": (texts.host, _HOST),
    "uuid": (texts.uuid, _UUID),
    "tuuid": (_bare_uuid, r"[0-9a-f]{32}"),
    "ulid": (texts.ulid, r"[0-7][0-9A-HJKMNP-TV-Z]{25}"),
    "ip_with_prefixlen": (lambda _: "198.51.100.7/24", r"198\.51\.100\.7/24"),
    "ipv4_with_prefixlen": (lambda _: "198.51.100.7/24", r"198\.51\.100\.7/24"),
    "ipv6_with_prefixlen": (lambda _: "2001:db8::7/64", r"2001:db8::7/64"),
    "ip_prefix": (lambda _: "198.51.100.0/24", r"198\.51\.100\.0/24"),
    "ipv4_prefix": (lambda _: "198.51.100.0/24", r"198\.51\.100\.0/24"),
    "ipv6_prefix": (lambda _: "2001:db8::/64", r"2001:db8::/64"),
    "host_and_port": (_with_port, rf"{_HOST}:[1-9]\d{{3}}"),
    "protobuf_fqn": (_qualified, rf"{_NAME}(?:\.{_NAME})*"),
    "protobuf_dot_fqn": (lambda dice: f".{_qualified(dice)}", rf"(?:\.{_NAME})+"),
    "well_known_regex": (lambda dice: f"x-{texts.word(dice)}", r"[A-Za-z0-9-]+"),
}
_MADE_BYTES: Final[dict[str, Callable[[Dice], bytes]]] = {
    "ip": lambda dice: bytes((198, 51, 100, dice.between(1, 254))),
    "ipv4": lambda dice: bytes((198, 51, 100, dice.between(1, 254))),
    "ipv6": lambda dice: b"\x20\x01\x0d\xb8" + dice.data(12),
    "uuid": lambda dice: dice.data(16),
}


def text(rules: Rules | None, wishes: Iterable[str], dice: Dice) -> str | None:
    """Returns a text that keeps rules.

    Args:
        rules: A `StringRules`; None for none.
        wishes: What it would best be, the best first; at least one.
        dice: Decides what is open.
    """
    if rules is None:
        return next(iter(wishes))
    if rules.HasField("const"):
        return str(rules.const)
    barred = set(rules.not_in)
    if chosen := [each for each in getattr(rules, "in") if each not in barred]:
        return str(dice.pick(chosen))
    for wish in (*rules.example, *wishes):
        if _keeps(rules, wish) and (not rules.HasField("pattern") or _matches(rules.pattern, wish)):
            return str(wish)
    return next((each for each in _made(rules, dice) if _keeps(rules, each)), None)


def data(rules: Rules | None, wish: bytes, dice: Dice) -> bytes | None:
    """Returns bytes that keep rules.

    Args:
        rules: A `BytesRules`; None for none.
        wish: What they would best be.
        dice: Decides what is open.
    """
    if rules is None:
        return wish
    if rules.HasField("const"):
        return bytes(rules.const)
    barred = set(rules.not_in)
    if chosen := [each for each in getattr(rules, "in") if each not in barred]:
        return bytes(dice.pick(chosen))
    for made in _made_bytes(rules, wish, dice):
        if _keeps_bytes(rules, made):
            return made
    return None


def _keeps(rules: Rules, given: str) -> bool:
    """Whether a text keeps all rules but its pattern: what is made of that needs no second look."""
    size, length = len(given.encode("utf-8", "replace")), len(given)
    kind = rules.WhichOneof("well_known")
    if kind is not None and not _is_of(kind, given):
        return False
    return (
        given not in rules.not_in
        and _within(length, rules, "len", "min_len", "max_len")
        and _within(size, rules, "len_bytes", "min_bytes", "max_bytes")
        and given.startswith(rules.prefix)
        and given.endswith(rules.suffix)
        and rules.contains in given
        and not (rules.HasField("not_contains") and rules.not_contains in given)
    )


def _keeps_bytes(rules: Rules, given: bytes) -> bool:
    kind = rules.WhichOneof("well_known")
    if kind is not None and len(given) not in {"ip": (4, 16), "ipv4": (4,)}.get(kind, (16,)):
        return False
    if rules.HasField("pattern"):
        try:
            if not _matches(rules.pattern, given.decode()):
                return False
        except UnicodeDecodeError:
            return False
    return (
        given not in rules.not_in
        and _within(len(given), rules, "len", "min_len", "max_len")
        and given.startswith(rules.prefix)
        and given.endswith(rules.suffix)
        and rules.contains in given
    )


def _within(length: int, rules: Rules, exact: str, least: str, most: str) -> bool:
    return (
        (not rules.HasField(exact) or length == getattr(rules, exact))
        and (not rules.HasField(least) or length >= getattr(rules, least))
        and (not rules.HasField(most) or length <= getattr(rules, most))
    )


def _is_of(kind: str, given: str) -> bool:
    known = _FORMATS.get(kind)
    return known is not None and re.fullmatch(known[1], given, re.ASCII) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Pattern | None:
    try:
        return Pattern(pattern)
    except PatternError:
        return None


def _matches(pattern: str, given: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is not None and compiled.matches(given)


def _made(rules: Rules, dice: Dice) -> Iterator[str]:
    """Yields texts that may keep rules, those by their format and pattern first."""
    kind = rules.WhichOneof("well_known")
    make = texts.slug if kind is None or kind not in _FORMATS else _FORMATS[kind][0]
    if rules.HasField("pattern"):
        yield from _matching(rules.pattern, dice)
        return
    if max(rules.len, rules.min_len, rules.len_bytes, rules.min_bytes) > _LONGEST:
        return
    for number in range(_TRIES):
        each = dice.of("try", number)
        yield make(each) if kind is not None else _sized(rules, make(each), each)


def _matching(pattern: str, dice: Dice) -> Iterator[str]:
    """Yields texts of a pattern, of many lengths, as long as that is cheap."""
    compiled = _compiled(pattern)
    if compiled is None:
        return
    effort = Effort()
    with suppress(PatternError):
        for number in range(_TRIES):
            yield compiled.text(dice.of("try", number), more=number, effort=effort)
        for more in range(_REPEATED):
            yield compiled.text(dice.of("try", more), more=more, exactly=True, effort=effort)


def _sized(rules: Rules, word: str, dice: Dice) -> str:
    """Returns a word between prefix and suffix, with what it is to contain, of the right length."""
    head, tail = rules.prefix + rules.contains, rules.suffix
    least, most = _lengths(rules)
    fixed = len(head) + len(tail)
    inner = word
    while len(inner) + fixed < least:
        inner += f"-{texts.slug(dice)}"
    top = most if least == most else max(least, min(most, max(least, len(word) + fixed)))
    return f"{head}{inner[: max(0, top - fixed)]}{tail}"


def _lengths(rules: Rules) -> tuple[int, int]:
    """Returns the least and the most characters; a byte is one, as words are of ASCII."""
    least = max(rules.len, rules.min_len, rules.len_bytes, rules.min_bytes)
    tops = [
        getattr(rules, name)
        for name in ("len", "max_len", "len_bytes", "max_bytes")
        if rules.HasField(name)
    ]
    return least, min([*tops, max(_FILLING, least)])


def _made_bytes(rules: Rules, wish: bytes, dice: Dice) -> Iterator[bytes]:
    yield from rules.example
    yield wish
    kind = rules.WhichOneof("well_known")
    if kind is not None and kind in _MADE_BYTES:
        yield _MADE_BYTES[kind](dice)
    if rules.HasField("pattern"):
        yield from (each.encode() for each in _matching(rules.pattern, dice))
        return
    head, tail = rules.prefix + rules.contains, rules.suffix
    least = max(rules.len, rules.min_len)
    if least > _LONGEST:
        return
    most = min(
        [getattr(rules, name) for name in ("len", "max_len") if rules.HasField(name)] or [16]
    )
    for length in (max(least, min(most, 16)), least):
        yield head + dice.data(max(0, length - len(head) - len(tail))) + tail
