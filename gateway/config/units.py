"""Durations, sizes, rates and addresses: the texts people write, as the numbers the gateway uses.

Pure functions on text; what a key allows (its bounds, whether `0` is meant) is said in `scalars`.
"""

import ipaddress
import re
from dataclasses import dataclass

_NUMBER = r"[0-9]{1,12}"
DURATION_PATTERN = rf"^{_NUMBER}(\.[0-9]{{1,6}})?(ms|s|m|h)$"
SIZE_PATTERN = rf"^{_NUMBER}(B|KiB|MiB|GiB)?$"
RATE_PATTERN = rf"^{_NUMBER}/(s|m|h|d)$"
QUOTA_PATTERN = rf"^{_NUMBER}(KiB|MiB|GiB)?/(d|month)$"
ADDRESS_PATTERN = r"^(unix:.+|[^:/\s\[\]]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5})$"

HOST_PATTERN = (
    r"^((\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
    r"|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\])$"
)
HOST = "a host name, *.name, or an IP address, without a port"

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
BYTES = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
UNLIMITED = "unlimited"
MOST = 999_999_999_999_999
"""The largest integer that headers can tell (RFC 9651 section 3.3.1)."""

_DURATION = re.compile(rf"({_NUMBER}(?:\.[0-9]{{1,6}})?)(ms|s|m|h)", re.ASCII)
_SIZE = re.compile(rf"({_NUMBER})(B|KiB|MiB|GiB)?", re.ASCII)
_RATE = re.compile(rf"({_NUMBER})/(s|m|h|d)", re.ASCII)
_QUOTA = re.compile(rf"({_NUMBER})(KiB|MiB|GiB)?/(d|month)", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOSTNAME = re.compile(rf"(?=.{{1,254}}\Z){_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_HOST = re.compile(HOST_PATTERN, re.ASCII)
# URLs, and gRPC's names of resolvers (grpc/grpc, doc/naming.md); `dns:80` is a host and a port.
_SCHEME = re.compile(r"(?!unix:)[A-Za-z][A-Za-z0-9+.-]*://|(dns|ipv4|ipv6|xds):[^:]+:")
_MAX_PORT = 65535


class UnitError(ValueError):
    """A text that is not of the unit. The message says what was expected."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in a period: `100/s`.

    Attributes:
        count: How many, 0 or more.
        period: In how many seconds: 1, 60, 3600 or 86400.
    """

    count: int
    period: int

    @property
    def per_second(self) -> float:
        """The same rate as a number a second."""
        return self.count / self.period

    def __str__(self) -> str:
        return f"{self.count}/{next(unit for unit, n in PERIODS.items() if n == self.period)}"


@dataclass(frozen=True, slots=True)
class Quota:
    """So many in a day or month of the calendar, in UTC: `10000/d`, `50GiB/month`.

    Attributes:
        count: How many, 1 or more.
        period: `d` or `month`.
    """

    count: int
    period: str

    @property
    def sized(self) -> str:
        """As one of bytes is written: `50GiB/month`."""
        return f"{format_size(self.count)}/{self.period}"

    def __str__(self) -> str:
        return f"{self.count}/{self.period}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host and a port; `str()` is also the form that gRPC takes as a target.

    Attributes:
        host: A name, an IPv4 address, or an IPv6 address without brackets.
        port: 0 to 65535; 0 asks the system for a free one.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A Unix domain socket; `str()` is also the form that gRPC takes as a target.

    Attributes:
        path: Of the socket in the file system.
    """

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class ServiceName:
    """A name of SRV records (RFC 2782), which have the ports: `_grpc._tcp.orders.example`."""

    name: str

    def __str__(self) -> str:
        return self.name


Address = TcpAddress | UnixAddress


def parse_duration(text: str) -> float:
    """Seconds.

    Raises:
        UnitError: Where the text is not a number with `ms`, `s`, `m` or `h`.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UnitError("a duration such as 250ms, 2s, 1m or 1h")
    return float(match[1]) * SECONDS[match[2]]


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads as these seconds, to the microsecond."""
    for unit in ("h", "m", "s"):
        count = seconds / SECONDS[unit]
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    if 0 < seconds < 1:
        return f"{_decimal(seconds * 1000)}ms"
    return f"{_decimal(seconds)}s"


def say_time(seconds: float) -> str:
    """Returns a time as people read it, to three digits: `1.25s`, `340ms`, `2m`."""
    if seconds >= 1:
        return format_duration(round(seconds, 2 if seconds < SECONDS["m"] else 0))
    return f"{float(f'{seconds * 1000:.3g}'):g}ms"


def _decimal(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def parse_size(text: str) -> int:
    """Bytes.

    Raises:
        UnitError: Where the text is not a whole number with `B`, `KiB`, `MiB`, `GiB` or no unit.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UnitError("a size such as 64KiB, 4MiB or a number of bytes")
    return int(match[1]) * BYTES[match[2] or ""]


def format_size(size: int) -> str:
    """The shortest text that `parse_size` reads as this many bytes."""
    for unit in ("GiB", "MiB", "KiB"):
        if size and size % BYTES[unit] == 0:
            return f"{size // BYTES[unit]}{unit}"
    return str(size)


def parse_rate(text: str) -> Rate:
    """A count in a period.

    Raises:
        UnitError: Where the text is not a whole number with `/s`, `/m`, `/h` or `/d`.
    """
    match = _RATE.fullmatch(text)
    if match is None:
        raise UnitError("a rate such as 100/s or 6000/m (a whole number with /s, /m, /h or /d)")
    return Rate(int(match[1]), PERIODS[match[2]])


def parse_quota(text: str) -> Quota:
    """A count in a period of the calendar.

    Raises:
        UnitError: Where the text is not a whole number or size of 1 or more, and of MOST at most,
            with `/d` or `/month`.
    """
    match = _QUOTA.fullmatch(text)
    count = 0 if match is None else int(match[1]) * BYTES[match[2] or ""]
    if match is None or not count:
        raise UnitError("a quota such as 10000/d, 300000/month or 50GiB/month")
    if count > MOST:
        raise UnitError(f"a quota of {MOST} at most, such as 900000GiB/month")
    return Quota(count, match[3])


def parse_host(text: str) -> str:
    """A host name in lower case, `*.name`, or an IP address, of IPv6 in its one form: `::1`.

    Raises:
        UnitError: Where the text is none of these.
    """
    if ":" in text:
        bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        try:
            return str(ipaddress.IPv6Address(bare))
        except ValueError:
            raise UnitError(HOST) from None
    if not _HOST.fullmatch(text):
        raise UnitError(HOST)
    return text.lower()


def parse_address(text: str) -> Address:
    """A TCP or Unix address. A Unix path is left as it is, relative or not.

    Raises:
        UnitError: Where the text is no address, or its port is out of range.
    """
    if _SCHEME.match(text):
        raise UnitError("host:port or unix:/path; leave out the scheme")
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path or "\0" in path:
            raise UnitError("a path after unix:")
        return UnixAddress(path)
    host, colon, port = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port):
        raise UnitError("host:port such as 127.0.0.1:8080, or unix:/path")
    if int(port) > _MAX_PORT:
        raise UnitError(f"a port from 0 to {_MAX_PORT}")
    return TcpAddress(_host(host), int(port))


def _host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(text[1:-1]))
        except ValueError:
            raise UnitError("an IPv6 address between the brackets") from None
    if ":" in text:
        raise UnitError("an IPv6 address in brackets, such as [::1]:8080")
    if not text:
        raise UnitError("a host before the port; 0.0.0.0 listens on every IPv4 address")
    if re.fullmatch(r"[0-9.]+", text):
        try:
            return str(ipaddress.IPv4Address(text))
        except ValueError:
            raise UnitError("an IPv4 address of four numbers up to 255") from None
    if not _HOSTNAME.fullmatch(text):
        raise UnitError("a host name of letters, digits, dots and hyphens")
    return text
