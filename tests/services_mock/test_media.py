"""shop.media.v1.MediaService, over sockets."""

from __future__ import annotations

import os
from hashlib import sha256

import grpc
import grpc.aio
import pytest

from services_mock.contract import api, media
from tests.services_mock.failing import details_of, fails_with, fields_at_fault

NOISE = "samples/noise.bin"
MIB = 2**20


def piece(data, **fields):
    return media.UploadMediaRequest(content={"content_type": "text/plain", "data": data}, **fields)


async def download(media_service, **fields):
    stream = media_service.DownloadMedia(media.DownloadMediaRequest(**fields))
    return [body async for body in stream]


async def test_known_digest(media_service):
    known = await media_service.GetMedia(media.GetMediaRequest(path="terms.txt"))
    (body,) = await download(media_service, path="terms.txt")
    assert known.size_bytes == len(body.data)
    assert known.sha256 == sha256(body.data).digest()
    assert body.content_type == known.content_type == "text/plain; charset=utf-8"


@pytest.mark.parametrize("method", ["GetMedia", "DeleteMedia", "PurgeMedia", "GetThumbnail"])
@pytest.mark.parametrize(
    ("path", "code"),
    [("none", grpc.StatusCode.NOT_FOUND), ("", grpc.StatusCode.INVALID_ARGUMENT)],
)
async def test_no_such_file(media_service, method, path, code):
    with fails_with(code):
        await getattr(media_service, method)(getattr(media, f"{method}Request")(path=path))


async def test_upload_then_download_then_delete(media_service):
    data = os.urandom(300_000)
    known = await media_service.UploadMedia(piece(data, path="a/b.txt"))
    assert known.size_bytes == len(data)
    pieces = await download(media_service, path="a/b.txt", piece_size=70_000)
    assert [len(body.data) for body in pieces] == [70_000, 70_000, 70_000, 70_000, 20_000]
    assert b"".join(body.data for body in pieces) == data
    await media_service.DeleteMedia(media.DeleteMediaRequest(path="a/b.txt"))
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await download(media_service, path="a/b.txt")


async def test_create_only(media_service):
    with fails_with(grpc.StatusCode.ALREADY_EXISTS):
        await media_service.UploadMedia(piece(b"", path="terms.txt", create_only=True))


async def test_one_piece_is_at_most_a_mebibyte(media_service):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await media_service.UploadMedia(piece(bytes(MIB + 1), path="big"))
    assert fields_at_fault(caught.value) == ["content"]


async def test_streamed_upload_of_a_big_file_keeps_its_digest(media_service):
    digest, part = sha256(), os.urandom(MIB)

    def pieces():
        for index in range(20):
            digest.update(part)
            yield piece(part, path="big.bin" if index == 0 else "")

    known = await media_service.UploadMediaStream(pieces())
    assert known.size_bytes == 20 * MIB
    assert known.sha256 == digest.digest()
    with fails_with(grpc.StatusCode.FAILED_PRECONDITION) as caught:
        await download(media_service, path="big.bin")
    info, _ = details_of(caught.value)
    assert info.reason == "NOT_KEPT"


async def test_a_stream_of_nothing_has_no_path(media_service):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await media_service.UploadMediaStream(iter([]))
    assert fields_at_fault(caught.value) == ["path"]


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 1_000_003])
async def test_a_download_of_any_size_repeats_the_file(media_service, size):
    noise = b"".join(body.data for body in await download(media_service, path=NOISE))
    pieces = await download(media_service, path=NOISE, size=size, piece_size=50_000)
    data = b"".join(body.data for body in pieces)
    assert data == (noise * (size // len(noise) + 1))[:size]
    assert max(len(body.data) for body in pieces) <= 50_000


async def test_a_download_can_be_huge_and_is_made_as_it_is_read(media_service):
    stream = media_service.DownloadMedia(media.DownloadMediaRequest(path=NOISE, size=2**62))
    assert len((await stream.read()).data) == 65_536
    stream.cancel()


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"size": -1}, "size"), ({"piece_size": 4 * MIB + 1}, "piece_size")],
)
async def test_download_bounds(media_service, fields, field):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await download(media_service, path=NOISE, **fields)
    assert fields_at_fault(caught.value) == [field]


async def test_a_reply_can_be_too_big_for_its_client(media_service):
    small = await media_service.GetThumbnail(media.GetThumbnailRequest(path=NOISE, size=MIB))
    assert len(small.data) == MIB
    with fails_with(grpc.StatusCode.RESOURCE_EXHAUSTED):
        await media_service.GetThumbnail(media.GetThumbnailRequest(path=NOISE, size=5 * MIB))


async def test_digest_of_a_stream(media_service):
    bodies = [api.HttpBody(content_type="a/b", data=b"one"), api.HttpBody(data=b"two")]
    digest = await media_service.DigestMedia(iter(bodies))
    assert (digest.size_bytes, digest.piece_count, digest.content_type) == (6, 2, "a/b")
    assert digest.sha256 == sha256(b"onetwo").digest()


async def test_fingerprint(media_service):
    reply = await media_service.FingerprintMedia(api.HttpBody(data=b"one"))
    assert reply.data.decode() == sha256(b"one").hexdigest()


async def test_conversion_gives_each_piece_back_as_it_comes(media_service):
    call = media_service.ConvertMedia()
    for data in (b"one", b"two"):
        await call.write(api.HttpBody(data=data))
        assert (await call.read()).data == data
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
