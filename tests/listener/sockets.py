"""What tests of WebSockets stand on."""

import asyncio


class Front:
    """Accepts every WebSocket, echoes, and notes what it is told."""

    def __init__(self, **accept):
        self.accept = accept
        self.opened = asyncio.Queue()
        self.closed = asyncio.Queue()
        self.draining = None

    def __call__(self, exchange):
        socket = exchange.websocket(**self.accept)
        if socket is None:
            return
        socket.listen(
            lambda message: self.take(socket, message),
            lambda code, reason: self.closed.put_nowait((code, reason)),
            self.draining and (lambda: self.draining(socket)),
        )
        self.opened.put_nowait(socket)

    def take(self, socket, message):
        if isinstance(message, str):
            socket.send_text(message)
        else:
            socket.send_binary(message)


async def closed(queue):
    async with asyncio.timeout(20):
        return await queue.get()
