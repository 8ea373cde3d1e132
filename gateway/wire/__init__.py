"""Protocols without sockets: bytes in, events and bytes out. No asyncio, no clock, no logging."""
