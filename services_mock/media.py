"""shop.media.v1.MediaService over the shop's state; big files pass through and are never held."""

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Any

from services_mock.binding import Call
from services_mock.contract import api, media, wellknown
from services_mock.failure import already_exists, invalid, not_found, precondition
from services_mock.shop import File, Shop, now

_KEPT_BYTES = 2**20
_PIECE = 65536
_MAX_PIECE = 4 * 2**20
_MAX_PICTURE = 64 * 2**20


def _repeated(content: bytes, size: int, piece: int) -> Iterator[bytes]:
    """Gives a content, repeated or cut to a size, in pieces; holds one piece and the content."""
    content = content or b"\0"
    long_enough = content * (piece // len(content) + 2)
    for start in range(0, size, piece):
        offset = start % len(content)
        yield long_enough[offset : offset + min(piece, size - start)]


class _Digester:
    """Size and digest of pieces as they come; keeps the bytes of a small file only."""

    def __init__(self) -> None:
        self.size = 0
        self.pieces = 0
        self.content_type = ""
        self.kept = b""
        self._sha256 = sha256()

    def add(self, body: Any) -> None:
        self.content_type = self.content_type or body.content_type
        self.pieces += 1
        self.size += len(body.data)
        self._sha256.update(body.data)
        self.kept = self.kept + body.data if self.size <= _KEPT_BYTES else b""

    @property
    def digest(self) -> bytes:
        return self._sha256.digest()


class MediaService:
    """Keeps files."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def _find(self, path: str) -> File:
        if not path:
            raise invalid("path", "is required")
        if path not in self._shop.files:
            raise not_found("file", path)
        return self._shop.files[path]

    def _store(self, first: Any, digester: _Digester) -> Any:
        if not first.path:
            raise invalid("path", "is required")
        if first.create_only and first.path in self._shop.files:
            raise already_exists("file", first.path)
        known = media.Media(
            path=first.path,
            content_type=digester.content_type or "application/octet-stream",
            size_bytes=digester.size,
            sha256=digester.digest,
            create_time=now(),
        )
        self._shop.files[first.path] = File(known, digester.kept)
        return known

    def GetMedia(self, request: Any, call: Call) -> Any:
        return self._find(request.path).known

    def UploadMedia(self, request: Any, call: Call) -> Any:
        if len(request.content.data) > _KEPT_BYTES:
            raise invalid("content", f"has more than {_KEPT_BYTES} bytes: upload it as a stream")
        digester = _Digester()
        digester.add(request.content)
        return self._store(request, digester)

    async def UploadMediaStream(self, requests: AsyncIterator[Any], call: Call) -> Any:
        digester = _Digester()
        first = media.UploadMediaRequest()
        async for request in requests:
            if not digester.pieces:
                first = request
            digester.add(request.content)
        return self._store(first, digester)

    async def DownloadMedia(self, request: Any, call: Call) -> AsyncIterator[Any]:
        file = self._find(request.path)
        if request.size < 0:
            raise invalid("size", "must not be negative")
        if request.piece_size > _MAX_PIECE:
            raise invalid("piece_size", f"must be at most {_MAX_PIECE}")
        size = request.size or file.known.size_bytes
        if not request.size and len(file.content) != size:
            description = "of this file only size and digest were kept"
            raise precondition("NOT_KEPT", request.path, description, {"size": str(size)})
        content_type = file.known.content_type
        for piece in _repeated(file.content, size, request.piece_size or _PIECE):
            yield api.HttpBody(content_type=content_type, data=piece)
            content_type = ""  # the first piece says it for all

    def GetThumbnail(self, request: Any, call: Call) -> Any:
        file = self._find(request.path)
        if not 0 <= request.size <= _MAX_PICTURE:
            raise invalid("size", f"must be 0 to {_MAX_PICTURE}")
        size = request.size or len(file.content)
        data = b"".join(_repeated(file.content, size, max(size, 1)))
        return api.HttpBody(content_type=file.known.content_type, data=data)

    def DeleteMedia(self, request: Any, call: Call) -> Any:
        self._find(request.path)
        del self._shop.files[request.path]
        return wellknown.Empty()

    def PurgeMedia(self, request: Any, call: Call) -> Any:
        self._find(request.path)
        return wellknown.Empty()

    async def DigestMedia(self, requests: AsyncIterator[Any], call: Call) -> Any:
        digester = _Digester()
        async for body in requests:
            digester.add(body)
        return media.Digest(
            size_bytes=digester.size,
            sha256=digester.digest,
            piece_count=digester.pieces,
            content_type=digester.content_type,
        )

    def FingerprintMedia(self, request: Any, call: Call) -> Any:
        text = sha256(request.data).hexdigest()
        return api.HttpBody(content_type="text/plain; charset=utf-8", data=text.encode())

    async def ConvertMedia(self, requests: AsyncIterator[Any], call: Call) -> AsyncIterator[Any]:
        async for body in requests:
            yield body
