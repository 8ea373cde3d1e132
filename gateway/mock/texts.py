"""What a text is like, by the name of its field: the table of names, and the makers of each kind.

What rules want of it is not known here (`ruled`), nor what a field's comment says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias
from uuid import UUID

from gateway.mock import words
from gateway.mock.dice import Dice

Make: TypeAlias = "Callable[[Dice], str]"


def person(dice: Dice) -> str:
    """Returns a person's name."""
    return f"{dice.pick(words.FIRST)} {dice.pick(words.LAST)}"


def title(dice: Dice) -> str:
    """Returns a thing's name."""
    return f"{dice.pick(words.ADJECTIVES)} {dice.pick(words.NOUNS)}"


def slug(dice: Dice) -> str:
    """Returns a thing's name as part of a path."""
    return title(dice).lower().replace(" ", "-")


def sentences(dice: Dice) -> str:
    """Returns two sentences."""
    at = dice.between(0, len(words.SENTENCES) - 1)
    return f"{words.SENTENCES[at]} {words.SENTENCES[(at + 1) % len(words.SENTENCES)]}"


def email(dice: Dice) -> str:
    """Returns an email address of nobody."""
    return f"{person(dice).lower().replace(' ', '.')}@example.com"


def host(dice: Dice) -> str:
    """Returns a host's name."""
    return f"{dice.pick(words.NOUNS).lower()}.example.com"


def url(dice: Dice) -> str:
    """Returns a URL of nowhere."""
    return f"https://example.com/{slug(dice)}"


def image(dice: Dice) -> str:
    """Returns the URL of a picture that is not there."""
    return f"https://example.com/images/{slug(dice)}.png"


def ipv4(dice: Dice) -> str:
    """Returns an address of TEST-NET-2."""
    return f"198.51.100.{dice.between(1, 254)}"


def ipv6(dice: Dice) -> str:
    """Returns an address of the block for documentation (RFC 3849)."""
    return f"2001:db8::{dice.between(1, 0xFFFF):x}"


def uuid(dice: Dice) -> str:
    """Returns a UUID in the form of version 4 (RFC 9562)."""
    return str(UUID(bytes=dice.data(16), version=4))


def ulid(dice: Dice) -> str:
    """Returns a ULID."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "01" + "".join(dice.pick(alphabet) for _ in range(24))


def phone(dice: Dice) -> str:
    """Returns a telephone number of nobody, as E.164 has it."""
    return f"+1202555{dice.between(100, 199):04d}"


def token(dice: Dice) -> str:
    """Returns something opaque, which opens nothing."""
    return f"made-up-{dice.data(6).hex()}"


def street(dice: Dice) -> str:
    """Returns a street and a number."""
    return f"{dice.between(1, 99)} {dice.pick(words.STREETS)}"


def day(dice: Dice) -> str:
    """Returns a date of RFC 3339."""
    return f"2025-{dice.between(1, 12):02d}-{dice.between(1, 28):02d}"


def instant(dice: Dice) -> str:
    """Returns a time of RFC 3339."""
    return f"{day(dice)}T{dice.between(8, 18):02d}:{dice.between(0, 59):02d}:00Z"


def word(dice: Dice) -> str:
    """Returns a word."""
    return dice.pick(words.NOUNS).lower()


def _of(choices: Sequence[str]) -> Make:
    return lambda dice: dice.pick(choices)


def _digits(count: int) -> Make:
    return lambda dice: "".join(str(dice.between(0, 9)) for _ in range(count))


_KINDS: Final[tuple[tuple[str, Make], ...]] = (
    (r"uuid|guid", uuid),
    (r"e?mail|email_address|(.*_)e?mail(_address)?", email),
    (r"(.*_)?(image|picture|photo|avatar|thumbnail|icon|logo)(_ur[il])?", image),
    (r"(.*_)?(ur[il]|link|href|website|homepage|webhook)", url),
    (r"(.*_)?(hostname|domain|host)", host),
    (r"(.*_)?(ip|ip_address|ipv4|peer)", ipv4),
    (r"(.*_)?ipv6", ipv6),
    (r"(.*_)?(phone|mobile|fax)(_number)?", phone),
    (r"(.*_)?first_name|given_name", _of(words.FIRST)),
    (r"(.*_)?last_name|family_name|surname", _of(words.LAST)),
    (
        r"(.*_)?(full_name|display_name|author|owner|recipient|customer|user|person|contact)(_name)?",
        person,
    ),
    (r"(user|login|account)_?name|handle", lambda dice: dice.pick(words.FIRST).lower()),
    (r"(.*_)?(currency|currency_code)", lambda _: words.CURRENCY),
    (r"(.*_)?(country_code|region_code|country_iso)", lambda dice: dice.pick(words.COUNTRIES)[0]),
    (r"(.*_)?country(_name)?", lambda dice: dice.pick(words.COUNTRIES)[1]),
    (r"(.*_)?(city|town|locality|place|location)", _of(words.CITIES)),
    (r"(.*_)?(street|address|address_line.*|lines?)", street),
    (r"(.*_)?(postal_code|postcode|zip|zip_code)", _digits(5)),
    (r"(.*_)?(language|lang|locale|language_code)", _of(words.LANGUAGES)),
    (r"(.*_)?(time_?zone|tz)", _of(words.TIME_ZONES)),
    (r"(.*_)?(mime_type|content_type|media_type)", _of(words.MIME_TYPES)),
    (r"(.*_)?colou?r", _of(words.COLOURS)),
    (r"(.*_)?(tag|label|keyword|category|genre|kind|type)", _of(words.TAGS)),
    (r"(.*_)?(token|secret|cursor|etag|hash|checksum|signature|nonce|code|key)", token),
    (r"(.*_)?(sku|stock_keeping_unit|serial_number|reference|number)", _digits(8)),
    (r"last_four", _digits(4)),
    (r"(.*_)?(slug|path|file|filename|file_name)", slug),
    (r"(.*_)?version", lambda dice: f"{dice.between(1, 4)}.{dice.between(0, 9)}.0"),
    (r"(.*_)?(date|birthday|day)", day),
    (r"(.*_)?(time|timestamp|created|updated|at)", instant),
    (
        r"(.*_)?(description|text|body|content|comment|message|note|notes|summary|bio|details)",
        sentences,
    ),
    (r"(.*_)?(title|name|subject|headline|label|topic|caption|subtitle)", title),
    (
        r"(.*_)?(brand|company|maker|vendor|organi[sz]ation)",
        lambda dice: f"{dice.pick(words.LAST)} & Co.",
    ),
)
_PEOPLE: Final = re.compile(
    r".*(user|person|people|customer|author|employee|member|contact|patient|student|owner|profile)",
    re.IGNORECASE,
)


def maker(field: str, message: str) -> Make:
    """Returns what makes the texts of a field.

    Args:
        field: Its name, `display_name`.
        message: The short name of its message, `User`.
    """
    if field == "name" and _PEOPLE.fullmatch(message):
        return person
    for pattern, make in _COMPILED:
        if pattern.fullmatch(field):
            return make
    return title


_COMPILED: Final = tuple((re.compile(name), make) for name, make in _KINDS)
