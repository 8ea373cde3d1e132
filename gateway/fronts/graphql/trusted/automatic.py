"""Automatic persisted queries: texts that clients stored, by their SHA-256, in bounded memory.

A client sends the hash alone first, and both where the hash is not known. A text is only kept under
its own hash, so nobody can have another run what he chose. What was not asked for longest goes
first.
"""

from __future__ import annotations

import sys
from collections import OrderedDict


class Automatic:
    """The texts of one generation, in one process.

    Args:
        max_documents: The most texts.
        max_bytes: The most memory that they take.
    """

    def __init__(self, *, max_documents: int = 1000, max_bytes: int = 8 * 1024 * 1024) -> None:
        self._max_documents = max_documents
        self._max_bytes = max_bytes
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._texts)

    def get(self, digest: str) -> str | None:
        """Returns the text of a hash; None where it is not known."""
        text = self._texts.get(digest)
        if text is not None:
            self._texts.move_to_end(digest)
        return text

    def keep(self, digest: str, text: str) -> None:
        """Keeps a text; `digest` is its SHA-256, lower-case hex, which the caller has checked."""
        if digest in self._texts:
            self._texts.move_to_end(digest)
            return
        self._texts[digest] = text
        self._bytes += sys.getsizeof(text)
        while len(self._texts) > self._max_documents or self._bytes > self._max_bytes:
            self._bytes -= sys.getsizeof(self._texts.popitem(last=False)[1])
