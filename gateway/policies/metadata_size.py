"""What a backend is sent with a call, all together, is no more than backends take.

The client's own part was counted when it was read. Where more is put to it on the way (by an
external authorization service, by what backends are told of callers), it is counted again here, at
the end of the chain: a backend's own refusal would not say what was too much.
"""

from __future__ import annotations

from gateway.call import Call
from gateway.errors import error


class MetadataSize:
    """Admits calls whose metadata a backend takes.

    Args:
        most: Bytes, counted as HTTP/2 does (`Metadata.size`).
    """

    __slots__ = ("_most",)

    def __init__(self, most: int) -> None:
        self._most = most

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return f"Admits a call with no more than {self._most} bytes of metadata."

    def admit(self, call: Call) -> None:
        """Returns to admit the call.

        Raises:
            RpcError: HEADERS_TOO_LARGE: there is more.
        """
        if call.metadata.size() > self._most:
            text = (
                f"The headers for the backend, with what it is told of the caller, are larger than "
                f"{self._most} bytes."
            )
            raise error("HEADERS_TOO_LARGE", text)
