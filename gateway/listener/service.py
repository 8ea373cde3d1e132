"""What the connections of one listener share. Data only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.http import Handler, Request
from gateway.http.certificate import Certificate
from gateway.listener.census import Census
from gateway.listener.cors import Cors
from gateway.listener.forwarded import Proxies
from gateway.listener.head import HeadReader
from gateway.listener.limits import Limits
from gateway.listener.offload import Offload
from gateway.listener.packing import Packing
from gateway.record import RequestRecord

if TYPE_CHECKING:
    from gateway.listener.connection import Connection

log = logging.getLogger("gateway.listener")


@dataclass(slots=True)
class Service:
    """What the connections of one listener share.

    Attributes:
        handler: Returns the handler of the next request.
        limits: What clients are allowed; may be replaced at any time.
        trusted: Proxies whose word is taken; may be replaced at any time.
        read_certificate: Reads a client's certificate, DER; None where none is asked for.
        loop: The loop that all of it runs on.
        heads: Reads the heads of requests.
        census: Counts the connections that were let in.
        connections: All open ones, those that are being refused or closed among them.
        tasks: Tasks that exchanges spawned, until they end.
        one_closed: Set whenever a connection has closed.
        draining: Whether no further request is wanted.
        admits: Whether connections are let in all the same.
        cors: What pages of other origins may do; None for nothing. May be replaced at any time.
        packing: Which replies are packed; None for none. May be replaced at any time.
        offload: Does what would hold up others.
        record: Begins what is noted of a request; None notes nothing.
    """

    handler: Callable[[], Handler]
    limits: Limits
    trusted: Proxies
    read_certificate: Callable[[bytes], Certificate | None] | None = None
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    heads: HeadReader = field(default_factory=HeadReader)
    census: Census = field(default_factory=Census)
    connections: set[Connection] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    one_closed: asyncio.Event = field(default_factory=asyncio.Event)
    draining: bool = False
    admits: bool = True
    cors: Cors | None = None
    packing: Packing | None = None
    offload: Offload = field(default_factory=Offload)
    record: Callable[[Request], RequestRecord] | None = None
