"""A transport without a socket: what is written is kept, one entry a write."""

import asyncio


class Transport(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.writes = []
        self.closed = False
        self.reading = True

    def write(self, data):
        self.writes.append(bytes(data))

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    abort = close

    def can_write_eof(self):
        return False

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def set_write_buffer_limits(self, high=None, low=None):
        self.high = high

    def get_write_buffer_size(self):
        return 0


class Forgetful(Transport):
    """Counts writes, and keeps none."""

    count = 0

    def write(self, data):
        self.count += 1
