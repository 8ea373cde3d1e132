"""A name server on a free port, whose answers tests change while it runs."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from gateway.upstream.endpoints import Endpoint

LOCALHOST = "127.0.0.1"


class NameServer(asyncio.DatagramProtocol):
    """What it answers, and what it was asked.

    Attributes:
        endpoint: Where it is.
        records: By name and kind, as zone files have them.
        beside: Records that come along with each answer: name, kind, texts.
        ttl: Of all records.
        ttl_beside: Of those that come along, where it is another; else None.
        silent: Whether it answers nothing, until it is to `speak`.
        code: The error that it answers with; None for none.
        cut: Whether answers by UDP are truncated, so that TCP has to be used.
        asked: The questions so far: name and kind.
    """

    def __init__(self):
        self.endpoint = None
        self.records = {}
        self.beside = []
        self.ttl = 30
        self.ttl_beside = None
        self.silent = False
        self._unanswered = []
        self.code = None
        self.cut = False
        self.asked = []
        self.by_tcp = 0
        self._news = asyncio.Event()

    def has(self, name, kind, *texts):
        """Has these records for a name from now on; none for NOERROR without an answer."""
        self.records[name.rstrip("."), kind] = texts

    def speak(self):
        """Answers what it did not answer, and is silent no more."""
        self.silent = False
        for data, address in self._unanswered:
            self.datagram_received(data, address)

    async def times(self, count):
        """Waits until it was asked so many times."""
        while len(self.asked) < count:
            self._news.clear()
            await self._news.wait()

    def answer(self, wire, *, by_tcp):
        question = dns.message.from_wire(wire)
        (asked,) = question.question
        name, kind = asked.name.to_text().rstrip("."), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind))
        self._news.set()
        if self.silent:
            return None
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.RA
        if self.code is not None:
            reply.set_rcode(dns.rcode.from_text(self.code))
            return reply.to_wire()
        if self.cut and not by_tcp:
            reply.flags |= dns.flags.TC
            return reply.to_wire()
        self.by_tcp += by_tcp
        owner = name
        if alias := self.records.get((name, "CNAME")):
            reply.answer.append(dns.rrset.from_text(f"{name}.", self.ttl, "IN", "CNAME", *alias))
            owner = alias[0].rstrip(".")
        if not any(known == owner for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif texts := self.records.get((owner, kind)):
            reply.answer.append(dns.rrset.from_text(f"{owner}.", self.ttl, "IN", kind, *texts))
            ttl = self.ttl if self.ttl_beside is None else self.ttl_beside
            for other, its_kind, its in self.beside:
                reply.additional.append(dns.rrset.from_text(other, ttl, "IN", its_kind, *its))
        return reply.to_wire()

    # By UDP.

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, address):
        wire = self.answer(data, by_tcp=False)
        if wire is not None:
            self._transport.sendto(wire, address)
        else:
            self._unanswered.append((data, address))

    # By TCP (RFC 1035, 4.2.2).

    async def connected(self, reader, writer):
        size = int.from_bytes(await reader.readexactly(2))
        wire = self.answer(await reader.readexactly(size), by_tcp=True)
        if wire is not None:
            writer.write(len(wire).to_bytes(2) + wire)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def name_server():
    """Runs a name server, by UDP and TCP on one port."""
    loop = asyncio.get_running_loop()
    made = NameServer()
    tcp = await asyncio.start_server(made.connected, LOCALHOST, 0)
    port = tcp.sockets[0].getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    udp.bind((LOCALHOST, port))
    transport, _ = await loop.create_datagram_endpoint(lambda: made, sock=udp)
    made.endpoint = Endpoint(LOCALHOST, port)
    try:
        yield made
    finally:
        transport.close()
        tcp.close()
