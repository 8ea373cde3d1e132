"""Parts of a head are counted, at the limit and one above it, whatever is served."""

from __future__ import annotations

import pytest

from gateway.http import Headers, Request
from gateway.listener import Limits
from gateway.listener.counts import check_counts
from gateway.listener.faults import Refused

LIMITS = Limits(header_fields=3, path_segments=3, query_parameters=3)


def request(path="/", query=None, fields=1):
    return Request("GET", path, query, Headers([(f"x-{i}", "1") for i in range(fields)]))


@pytest.mark.parametrize(
    ("fitting", "more", "status", "reason"),
    [
        ({"fields": 3}, {"fields": 4}, 431, "HEADERS_TOO_LARGE"),
        ({"path": "/a/b/c"}, {"path": "/a/b/c/"}, 400, "INVALID_PATH"),
        ({"path": "///"}, {"path": "////"}, 400, "INVALID_PATH"),
        ({"query": "a=1&b=2&c"}, {"query": "a=1&b=2&c&"}, 400, "INVALID_QUERY"),
        ({"query": "&&"}, {"query": "&&&"}, 400, "INVALID_QUERY"),
    ],
    ids=["fields", "segments", "empty-segments", "parameters", "empty-parameters"],
)
def test_the_limit_and_one_above(fitting, more, status, reason):
    check_counts(request(**fitting), LIMITS)
    with pytest.raises(Refused) as refused:
        check_counts(request(**more), LIMITS)
    assert (refused.value.fault.status, refused.value.fault.reason) == (status, reason)


async def test_a_connection_is_refused_so(dial, echo):
    client = await dial(echo, header_fields=2)
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n")
    assert (await client.reply()).status == 200
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nA: b\r\n\r\n")
    reply = await client.reply()
    assert (reply.status, reply.reason) == (431, "HEADERS_TOO_LARGE")
    assert await client.rest() == b""
