"""The listener against the Autobahn WebSocket test suite's cases, through real sockets.

`autobahn` has the cases; here they are sent and graded. Sections 12 and 13, of compression, send
messages of 18 shapes for each kind of data and each offer: as many, but fewer of each.
"""

import asyncio
import json
import random
import struct

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.listener.autobahn import CASES, FRAMES, OCTETS, WHOLE, Answers
from tests.listener.sockets import Front
from tests.listener.wire import CLOSE, frame, read_frame, said


def chopped(frames, chop):
    """Returns what is written at once, one after another."""
    if chop == FRAMES:
        return frames
    wire = b"".join(frames)
    size = {WHOLE: len(wire), OCTETS: 1}.get(chop, chop)
    return [wire[at : at + size] for at in range(0, len(wire), size)]


def turns(sends):
    """Splits what is sent at its waits: pairs of frames and of what to wait for after them."""
    frames = []
    for one in sends:
        if isinstance(one, Answers):
            yield frames, one.count
            frames = []
        else:
            frames.append(one)
    yield frames, 0


async def converse(client, case):
    """Sends what a case says; returns the frames that came back, its close the last."""
    came = []
    for frames, awaited in turns(case.sends):
        for piece in chopped(frames, case.chop):
            client.writer.write(piece)
            await asyncio.sleep(0)
        while len(came) < awaited:
            came.append(await read_frame(client.reader))
    while not case.fails and len(came) < len(case.answers):
        came.append(await read_frame(client.reader))
    if not case.fails:
        client.writer.write(frame(CLOSE, said(1000)))
    while not came or came[-1][0] != CLOSE:
        came.append(await read_frame(client.reader))
    assert await client.rest() == b"", "something follows the close"
    return came


@pytest.mark.parametrize("case", [pytest.param(case, id=case.number) for case in CASES])
async def test_a_case(dial, upgrade, case):
    client = await dial(Front())
    await upgrade(client)
    async with asyncio.timeout(20):
        *answers, (_, ending) = await converse(client, case)
    assert tuple(answers) == case.answers
    assert (struct.unpack("!H", ending[:2])[0] if ending else None) in case.codes


def test_all_cases_are_there():
    """Each section has as many as the suite's."""
    counts = {}
    for case in CASES:
        section = case.number.partition(".")[0]
        counts[section] = counts.get(section, 0) + 1
    assert counts == {"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "10": 1}
    assert len({case.number for case in CASES}) == len(CASES)


SHAPES = [(size, 0) for size in (16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072)]
SHAPES += [(size, 256) for size in (8192, 16_384, 32_768, 65_536, 131_072)]
SHAPES += [(131_072, size) for size in (1024, 4096, 32_768)]
"""Bytes of a message, and of its fragments (0 for one)."""

_seeded = random.Random(12)
_words = ["".join(_seeded.choices("etaoinshrdlu", k=_seeded.randint(2, 9))) for _ in range(500)]
PROSE = " ".join(_seeded.choices(_words, k=40_000))
RECORDS = json.dumps([{"id": n, "name": _words[n % 500], "on": n % 3 == 0} for n in range(8_000)])
DATA = {
    "12.1": RECORDS,
    "12.2": bytes(at // 512 ^ at % 512 & 0xFF for at in range(512 * 255)) * 2,  # like a picture
    "12.3": PROSE.encode(),
    "12.4": "".join(f"<p class='a'>{word}</p>\n" for word in PROSE.split()),
    "12.5": _seeded.randbytes(300_000),  # like a PDF: packed already
}
OFFERS = {
    "13.1": [{}],
    "13.2": [{"server_no_context_takeover": True}],
    "13.3": [{"server_max_window_bits": 9}],
    "13.4": [{"server_max_window_bits": 15}],
    "13.5": [{"server_no_context_takeover": True, "server_max_window_bits": 9}],
    "13.6": [{"server_no_context_takeover": True, "server_max_window_bits": 15}],
    "13.7": [
        {"server_no_context_takeover": True, "server_max_window_bits": 9},
        {"server_no_context_takeover": True},
        {},
    ],
}


@pytest.mark.parametrize(
    ("data", "offers"),
    [pytest.param(data, [{}], id=number) for number, data in DATA.items()]
    + [pytest.param(RECORDS, offers, id=number) for number, offers in OFFERS.items()],
)
async def test_compressed(listen, open_socket, data, offers):
    """Each case of a section is a shape of the messages."""
    listener = await listen(Front(compressed=True))
    extensions = [ClientPerMessageDeflateFactory(client_max_window_bits=True, **o) for o in offers]
    for size, part in SHAPES:
        client = await open_socket(listener, extensions=extensions)
        (agreed,) = client.protocol.extensions
        wanted = offers[0].get("server_max_window_bits", 15)
        assert agreed.remote_max_window_bits <= wanted
        assert agreed.remote_no_context_takeover == offers[0].get(
            "server_no_context_takeover", False
        )
        for start in (0, size, 2 * size):
            at = start % (len(data) - size)
            message = data[at : at + size]
            parts = [message[n : n + part] for n in range(0, size, part)] if part else message
            await client.send(parts)
            assert await client.recv() == message
        await client.close()
        assert client.close_code == 1000
