"""What a proxy before this listener might read otherwise: answered 400 once, and closed.

Each case holds a second request where another parser could find one. It is never answered.
"""

import pytest

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /seen HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def te(value, *, name=b"Transfer-Encoding"):
    return POST + name + b": " + value + b"\r\n\r\n0\r\n\r\n" + HIDDEN


def cl(value, *, name=b"Content-Length"):
    return POST + name + b": " + value + b"\r\n\r\n" + HIDDEN


AMBIGUOUS_HEADS = {
    "6.3 CL.TE": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "6.3 TE.CL": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + HIDDEN,
    "6.3 CL.0 with TE": POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + HIDDEN,
    "6.1 TE twice": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "6.1 TE twice, the other first": POST
    + b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "6.1 TE list": te(b"gzip, chunked"),
    "6.1 TE list with an empty member": te(b", chunked"),
    "6.1 TE chunked is not last": te(b"chunked, identity"),
    "6.1 TE quoted": te(b'"chunked"'),
    "6.1 TE with a parameter": te(b"chunked; q=1"),
    "6.1 TE with a vertical tab": te(b"\x0bchunked"),
    "6.1 TE with NUL": te(b"chunked\0"),
    "6.1 TE with obs-text": te(b"chunked\xff"),
    "6.1 TE identity": te(b"identity"),
    "6.1 TE unknown": te(b"xchunked"),
    "5.1 TE with a space before the colon": te(b"chunked", name=b"Transfer-Encoding "),
    "5.1 TE with a tab before the colon": te(b"chunked", name=b"Transfer-Encoding\t"),
    "5.1 TE with a control byte in its name": te(b"chunked", name=b"Transfer-Encoding\x01"),
    "5.1 TE with NUL in its name": te(b"chunked", name=b"Transfer\0-Encoding"),
    "5.2 TE folded": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "5.2 TE behind a fold": POST + b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n" + HIDDEN,
    "2.2 TE behind a bare CR": POST + b"X: y\rTransfer-Encoding: chunked\r\n\r\n" + HIDDEN,
    "2.2 TE behind a bare LF": POST + b"X: y\nTransfer-Encoding: chunked\r\n\r\n" + HIDDEN,
    "2.2 a head that ends with bare LFs": b"GET /seen HTTP/1.1\nHost: a\n\n" + HIDDEN,
    "2.2 a head whose last lines end with LF": b"GET /seen HTTP/1.1\r\nHost: a\n\r\n" + HIDDEN,
    "2.2 white space before the first field": b"GET /seen HTTP/1.1\r\n Host: a\r\n\r\n" + HIDDEN,
    "6.3 CL twice": POST + b"Content-Length: 0\r\nContent-Length: 33\r\n\r\n" + HIDDEN,
    "6.3 CL twice, alike": POST + b"Content-Length: 33\r\nContent-Length: 33\r\n\r\n" + HIDDEN,
    "6.3 CL list": cl(b"33, 33"),
    "6.3 CL signed": cl(b"+33"),
    "6.3 CL negative": cl(b"-1"),
    "6.3 CL hexadecimal": cl(b"0x21"),
    "6.3 CL with a space in it": cl(b"3 3"),
    "6.3 CL with letters": cl(b"33abc"),
    "6.3 CL empty": cl(b""),
    "6.3 CL a fraction": cl(b"33.0"),
    "6.3 CL beyond 64 bits": cl(b"18446744073709551649"),
    "5.1 CL with a space before the colon": cl(b"33", name=b"Content-Length "),
    "5.1 CL with obs-text in its name": cl(b"33", name=b"Content-Length\xa0"),
    "3.2 Host twice": b"GET /seen HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + HIDDEN,
    "3.2 no Host": b"GET /seen HTTP/1.1\r\n\r\n" + HIDDEN,
    "3.2 Host with a space before the colon": b"GET /seen HTTP/1.1\r\nHost : a\r\n\r\n" + HIDDEN,
    "3 a request in the target": b"GET /seen HTTP/1.1\rGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
    "3 a tab in the request line": b"GET\t/seen HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN,
    "3 no version": b"GET /seen\r\n" + HIDDEN,
    "6.1 TE on 1.0": b"POST /seen HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "9.1 keep-alive and TE on 1.0": b"POST /seen HTTP/1.0\r\nConnection: keep-alive\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
}
AMBIGUOUS_BODIES = {
    "7.1 a size with a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "7.1 a size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "7.1 a size with an underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
    "7.1 a size with a space before it": b" 5\r\nhello\r\n0\r\n\r\n",
    "7.1 an empty size": b"\r\nhello\r\n0\r\n\r\n",
    "7.1 a size beyond 64 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "7.1 a size that ends with LF": b"5\nhello\r\n0\r\n\r\n",
    "7.1 a size that ends with CR": b"5\rhello\r\n0\r\n\r\n",
    "7.1 a chunk that ends with LF": b"5\r\nhello\n0\r\n\r\n",
    "7.1 a chunk longer than its size": b"4\r\nhello\r\n0\r\n\r\n",
    "7.1 a chunk shorter than its size": b"6\r\nhello\r\n0\r\n\r\n",
    "7.1.1 a bare LF in an extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "7.1.1 a bare CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "7.1.1 NUL in an extension": b"5;a\0\r\nhello\r\n0\r\n\r\n",
    "7.1.2 a trailer that ends with LF": b"5\r\nhello\r\n0\r\nA: b\n\r\n",
    "7.1.2 a trailer with a space before the colon": b"5\r\nhello\r\n0\r\nA : b\r\n\r\n",
    "7.1.2 a folded trailer": b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n",
    "7.1.2 an end with LF": b"5\r\nhello\r\n0\r\n\n",
}


@pytest.mark.parametrize("sent", AMBIGUOUS_HEADS.values(), ids=AMBIGUOUS_HEADS.keys())
@pytest.mark.parametrize("before", [b"", HIDDEN.replace(b"hidden", b"first")], ids=["", "kept"])
async def test_heads(dial, echo, sent, before):
    client = await dial(echo)
    await client.send(before + sent)
    if before:
        assert (await client.reply()).status == 200
    reply = await client.reply()
    assert (reply.status, reply.reason) == (400, "BAD_REQUEST")
    assert reply.header("connection") == "close"
    assert await client.rest() == b""


@pytest.mark.parametrize("body", AMBIGUOUS_BODIES.values(), ids=AMBIGUOUS_BODIES.keys())
@pytest.mark.parametrize("asked", [True, False], ids=["read", "unread"])
async def test_bodies(dial, echo, text, body, asked):
    client = await dial(echo if asked else lambda exchange: text(exchange, 200, b""))
    await client.send(CHUNKED + body + HIDDEN)
    reply = await client.reply()
    assert (reply.status, reply.header("connection")) == (400 if asked else 200, "close")
    assert b"hidden" not in reply.body
    assert await client.rest() == b""


async def test_fields_seen_before_do_not_lend_their_word(dial, echo):
    """What was remembered of a right request says nothing of the next one's line or body."""
    client = await dial(echo)
    fields = b"Host: a\r\nContent-Length: 2\r\n\r\n"
    for _ in range(2):
        await client.send(b"POST /seen HTTP/1.1\r\n" + fields + b"hi")
        assert b'"body": "hi"' in (await client.reply()).body
    for line in (b"POST /se en HTTP/1.1\r\n", b"POST /\x01 HTTP/1.1\r\n", b"FROB / HTTP/1.1\r\n"):
        client = await dial(echo)
        await client.send(b"POST /seen HTTP/1.1\r\n" + fields + b"hi" + line + fields + b"hi")
        assert (await client.reply()).status == 200
        assert (await client.reply()).status == 400
        assert await client.rest() == b""
