"""What is kept, as bytes, for a state that gateways share.

A head (`_HEAD`: the form's number, the status code, the times in seconds, how many parts there
are), the lengths of the parts, and the parts: what clients are told, the message, the status's
message, and three lists, each with the number of its entries first: initial metadata, trailers,
details. Not understood, it is as if nothing were kept: another version of the gateway wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct, error, unpack_from
from struct import pack as packed
from typing import Final

from gateway.call import Code, Detail, Metadata, Status
from gateway.policies.cache.freshness import Lifetime
from gateway.policies.cache.kept import Kept

_FORM: Final = 1
_HEAD: Final = Struct("<BBdddI")


def written(kept: Kept) -> bytes:
    """Returns what is kept as bytes, less when it was made."""
    holds, status = kept.lifetime, kept.status
    parts = [holds.told.encode(), kept.message, _text(status.message if status else "")]
    for metadata in (kept.initial, kept.trailers):
        parts.append(b"%d" % len(metadata))
        for name, value in metadata:
            parts += (name.encode(), value if isinstance(value, bytes) else _text(value))
    details = status.details if status else ()
    parts.append(b"%d" % len(details))
    for detail in details:
        parts += (_text(detail.type_url), detail.value)
    code = status.code if status else Code.OK
    head = _HEAD.pack(_FORM, code, holds.fresh, holds.revalidate, holds.on_error, len(parts))
    return head + packed(f"<{len(parts)}I", *map(len, parts)) + b"".join(parts)


def read(data: bytes, until: float) -> Kept | None:
    """Returns what was written; None for what is not understood.

    Args:
        data: What `written` returned.
        until: When it ends.
    """
    try:
        return _read(data, until)
    except (error, ValueError, StopIteration):
        return None


def _read(data: bytes, until: float) -> Kept:
    form, number, fresh, revalidate, on_error, count = _HEAD.unpack_from(data)
    if form != _FORM:
        raise ValueError
    lengths = unpack_from(f"<{count}I", data, _HEAD.size)
    parts = _cut(data, _HEAD.size + 4 * count, lengths)
    told, message, said = next(parts).decode(), next(parts), next(parts)
    initial, trailers = _metadata(parts), _metadata(parts)
    details = _details(parts)
    code = Code(number)
    status = None if code is Code.OK else Status(code, _from(said), details)
    holds = Lifetime(fresh, revalidate, on_error, 0.0, told)
    return Kept(message, initial, trailers, status, made=until - holds.all, lifetime=holds)


def _cut(data: bytes, start: int, lengths: Sequence[int]) -> Iterator[bytes]:
    if start + sum(lengths) != len(data):
        raise ValueError
    for length in lengths:
        yield data[start : start + length]
        start += length


def _metadata(parts: Iterator[bytes]) -> Metadata:
    items: list[tuple[str, str | bytes]] = []
    for _ in range(int(next(parts))):
        name, value = next(parts).decode(), next(parts)
        items.append((name, value if name.endswith("-bin") else _from(value)))
    return Metadata(items)


def _details(parts: Iterator[bytes]) -> tuple[Detail, ...]:
    # A list: the end of parts would be a RuntimeError in a generator.
    return tuple([Detail(_from(next(parts)), next(parts)) for _ in range(int(next(parts)))])


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _from(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
