"""A stream's call under way, to those who tell it what happens."""

from __future__ import annotations

from abc import ABC, abstractmethod

from gateway.call import RpcError
from gateway.fronts.websocket.frames import End
from gateway.head import Head


class Run(ABC):
    """A call under way. After `cancel` it says nothing more: whoever cancels it ends the stream."""

    __slots__ = ()

    @abstractmethod
    def begin(self) -> None:
        """Begins the call, with what has come of the client's."""

    @abstractmethod
    def arrived(self) -> None:
        """Takes note that a request message has come, or the word that there are no more."""

    @abstractmethod
    def written(self) -> None:
        """Takes note that all that was sent was written."""

    @abstractmethod
    def shows(self, head: Head) -> None:
        """Takes note of what its caller shows by now: a new token of the same subject."""

    @abstractmethod
    def cancel(self) -> None:
        """Cancels the call."""

    @abstractmethod
    def end_of(self, failure: RpcError) -> End:
        """Returns how the client is told of a failure."""
