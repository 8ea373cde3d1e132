"""The questions that a worker was asked and did not answer yet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gateway.operations import NOT_NOW, Content, OperationError
from gateway.supervisor.channel import Channel
from gateway.supervisor.messages import Answered, Ask


class Questions:
    """Those of one worker, over all of its processes."""

    def __init__(self) -> None:
        self._serial = 0
        self._open: dict[int, asyncio.Future[Answered | None]] = {}

    async def ask(
        self, channel: Channel, name: str, arguments: Mapping[str, str], seconds: float
    ) -> Content | None:
        """Asks for an operation.

        Args:
            channel: To the process.
            name: The operation's.
            arguments: Its arguments.
            seconds: For the answer.

        Returns:
            What it answered; None if it ended meanwhile.

        Raises:
            OperationError: It refused, or did not answer in time.
        """
        self._serial += 1
        serial = self._serial
        answer = self._open[serial] = asyncio.get_running_loop().create_future()
        channel.send(Ask(serial, name, dict(arguments)))
        try:
            answered = await asyncio.wait_for(answer, seconds)
        except TimeoutError:
            text = f"A worker did not answer within {seconds:g} seconds; others may have."
            raise OperationError(NOT_NOW, text) from None
        finally:
            del self._open[serial]
        if answered is None:
            return None
        if answered.reason:
            raise OperationError(answered.reason, answered.message)
        return dict(answered.content)

    def hear(self, answered: Answered) -> None:
        """Takes an answer; that to a question which was given up is nobody's."""
        self._settle(answered.serial, answered)

    def end(self) -> None:
        """Tells all who wait that the process has ended."""
        for serial in self._open:
            self._settle(serial, None)

    def _settle(self, serial: int, answered: Answered | None) -> None:
        answer = self._open.get(serial)
        if answer is not None and not answer.done():
            answer.set_result(answered)
