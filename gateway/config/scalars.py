"""The kinds of scalar a key may hold: numbers, switches, units, names and their bounds.

Each is metadata for `Annotated`. What names a place (files, addresses) is in `places`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic.json_schema import JsonSchemaValue

from gateway.config import units
from gateway.config.leaf import Leaf, LeafError
from gateway.config.substitution import Substituted

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Whole(Leaf):
    """An `int` from `minimum` to `maximum`, both included."""

    minimum: int = 0
    maximum: int = 2**53

    def read(self, value: object, directory: Path) -> int:  # noqa: ARG002  # the leaf's interface
        """See `Leaf.read`."""
        if isinstance(value, Substituted) and _INTEGER.fullmatch(value):
            value = int(value)
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise LeafError(f"a whole number from {self.minimum} to {self.maximum}")
        return value

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class Number(Leaf):
    """A `float` from `minimum` to `maximum`, both included."""

    minimum: float
    maximum: float

    def read(self, value: object, directory: Path) -> float:  # noqa: ARG002  # the leaf's interface
        """See `Leaf.read`."""
        if isinstance(value, Substituted) and _DECIMAL.fullmatch(value):
            value = float(value)
        if type(value) not in (int, float) or not self.minimum <= value <= self.maximum:  # type: ignore[operator]  # the first test says it is a number
            raise LeafError(f"a number from {self.minimum:g} to {self.maximum:g}")
        return float(value)  # type: ignore[arg-type]  # as above

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "number", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class Switch(Leaf):
    """A `bool`."""

    def read(self, value: object, directory: Path) -> bool:  # noqa: ARG002  # the leaf's interface
        """See `Leaf.read`."""
        if isinstance(value, Substituted):
            value = _TRUTH.get(value, value)
        if not isinstance(value, bool):
            raise LeafError("true or false")
        return value

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Duration(Leaf):
    """Seconds as a `float`, written `250ms`; 0 only where it is allowed."""

    zero: bool = False

    def read(self, value: object, directory: Path) -> float:  # noqa: ARG002  # the leaf's interface
        """See `Leaf.read`."""
        try:
            seconds = units.parse_duration(value if isinstance(value, str) else "")
        except units.UnitError as error:
            raise LeafError(str(error)) from error
        if not seconds and not self.zero:
            raise LeafError("a duration longer than 0s")
        return seconds

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "pattern": units.DURATION_PATTERN}

    def show(self, value: float) -> str:
        """See `Leaf.show`."""
        return units.format_duration(value)


@dataclass(frozen=True, slots=True)
class Size(Leaf):
    """Bytes as an `int` from `minimum` to `maximum`, written `4MiB` or as a number."""

    minimum: int = 0
    maximum: int = 2**53

    def read(self, value: object, directory: Path) -> int:  # noqa: ARG002  # the leaf's interface
        """See `Leaf.read`."""
        text = str(value) if type(value) is int else value
        try:
            size = units.parse_size(text if isinstance(text, str) else "")
        except units.UnitError as error:
            raise LeafError(str(error)) from error
        if not self.minimum <= size <= self.maximum:
            least, most = units.format_size(self.minimum), units.format_size(self.maximum)
            raise LeafError(f"a size from {least} to {most}")
        return size

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        number = {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}
        return {"anyOf": [number, {"type": "string", "pattern": units.SIZE_PATTERN}]}

    def show(self, value: int) -> str | int:
        """See `Leaf.show`."""
        text = units.format_size(value)
        return int(text) if text.isdigit() else text


@dataclass(frozen=True, slots=True)
class RateOf(Leaf):
    """A `units.Rate`, written `100/s`.

    Attributes:
        zero: Whether none at all is a rate.
        unlimited: Whether `unlimited` is one, which is read as None.
    """

    zero: bool = True
    unlimited: bool = False

    def read(self, value: object, directory: Path) -> units.Rate | None:  # noqa: ARG002  # the leaf's interface
        """See `Leaf.read`."""
        if self.unlimited and value == units.UNLIMITED:
            return None
        other = ", or unlimited" if self.unlimited else ""
        try:
            rate = units.parse_rate(value if isinstance(value, str) else "")
        except units.UnitError as error:
            raise LeafError(f"{error}{other}") from error
        if not rate.count and not self.zero:
            raise LeafError(f"a rate of more than 0, such as 100/s{other}")
        return rate

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        none = "" if self.zero else "(?!0+/)"
        rate = units.RATE_PATTERN.replace("^", f"^{none}", 1)
        if self.unlimited:
            rate = f"{rate}|^{units.UNLIMITED}$"
        return {"type": "string", "pattern": rate}

    def show(self, value: units.Rate | None) -> str:
        """See `Leaf.show`."""
        return units.UNLIMITED if value is None else str(value)


@dataclass(frozen=True, slots=True)
class QuotaOf(Leaf):
    """A `units.Quota`, written `10000/d`; `unlimited` is read as None.

    Attributes:
        sizes: Whether it is of bytes, and shown as a size: `50GiB/month`.
    """

    sizes: bool = False

    def read(self, value: object, directory: Path) -> units.Quota | None:  # noqa: ARG002  # the leaf's interface
        """See `Leaf.read`."""
        if value == units.UNLIMITED:
            return None
        try:
            return units.parse_quota(value if isinstance(value, str) else "")
        except units.UnitError as error:
            raise LeafError(f"{error}, or unlimited") from error

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        pattern = units.QUOTA_PATTERN.replace("^", "^(?!0+[KMG/])", 1)
        return {"type": "string", "pattern": f"{pattern}|^{units.UNLIMITED}$"}

    def show(self, value: units.Quota | None) -> str:
        """See `Leaf.show`."""
        if value is None:
            return units.UNLIMITED
        return value.sized if self.sizes else str(value)


_ANYTHING = "."


@dataclass(frozen=True, slots=True)
class Text(Leaf):
    """A `str` of a pattern (ECMA and Python alike); any text that is not empty by default.

    Attributes:
        expected: What an error says was expected.
        pattern: Searched for; anchor it.
        lower: Whether the case does not matter; the value is then lower-case.
        reserved: Lower-case texts, or prefixes ending in `*`, that are refused.
    """

    expected: str = "a text"
    pattern: str = _ANYTHING
    lower: bool = False
    reserved: tuple[str, ...] = ()

    def read(self, value: object, directory: Path) -> str:  # noqa: ARG002  # the leaf's interface
        """See `Leaf.read`."""
        if not isinstance(value, str) or not re.search(self.pattern.replace("$", r"\Z"), value):
            empty = value == "" and self.pattern == _ANYTHING
            raise LeafError(f"{self.expected} that is not empty" if empty else self.expected)
        text = str(value).lower() if self.lower else str(value)
        for name in self.reserved:
            if text == name or (name.endswith("*") and text.startswith(name[:-1])):
                raise LeafError(f"{self.expected}, but not the reserved {name}")
        return text

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "pattern": self.pattern}


class HiddenText(Text):
    """A text that may hold a secret: no error repeats it."""

    secret = True


NAME = Text("a name of letters, digits, - and _", r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")
SERVICES = Text(
    "a service's full name such as shop.catalog.v1.CatalogService, or a glob such as shop.*",
    r"^[A-Za-z0-9_.*]{1,500}$",
)
METHODS = Text(
    "a method such as shop.orders.v1.OrderService/GetOrder, or a glob such as shop.*",
    r"^[A-Za-z0-9_.*/]{1,500}$",
)
METHOD = Text("an HTTP method such as GET, in capitals", r"^[A-Z]{1,20}$")
HEADER = Text("a header's name", r"^[A-Za-z0-9_.-]{1,100}$", lower=True)
LIMIT_KEY = Text(
    "principal, api_key, plan, address, method, all, header:NAME or field:PATH",
    r"^(principal|api_key|plan|address|method|all|header:[A-Za-z0-9_-]+"
    r"|field:[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*)$",
)
_SHOWN = r"principal|peer|(header|cookie):[!#\x24%&'*+.^_`|~0-9A-Za-z-]{1,100}"  # a token
HASH_KEY = Text(
    "header:NAME, cookie:NAME, principal, peer or field:PATH",
    rf"^({_SHOWN}|field:[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*)$",
)
SPLIT_KEY = Text("principal, peer, header:NAME or cookie:NAME", rf"^({_SHOWN})$")
STATE = HiddenText("memory, or redis://host:6379/0", r"^(memory|rediss?://[^\s/]+.*)$")
URL = Text("a URL with http:// or https://", r"^https?://[^\s/]+")
INTROSPECTION_URL = Text(
    "a URL with http:// or https:// that has no user and no password: "
    "client_id and client_secret are what is shown there",
    r"^https?://[^\s/?#@]+([/?#].*)?$",
)
ORIGIN = Text(
    "an origin such as https://app.example, https://*.app.example for all below it, or *",
    r"^(\*|[A-Za-z][A-Za-z0-9+.-]*://"
    r"((\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)$",
    lower=True,
)
GRPC_CODES = (
    *("CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)
CODE = Text("a gRPC status code such as UNAVAILABLE", rf"^({'|'.join(GRPC_CODES)})$")
PERCENT = Number(0, 100)
