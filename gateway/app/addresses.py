"""What stands before all fronts: `addresses`, by which clients are refused before anything else."""

from __future__ import annotations

from collections.abc import Callable

from gateway.call import RpcError
from gateway.config import Config
from gateway.errors import error
from gateway.http import Exchange, Handler
from gateway.policies.addresses import admitted_by


def admitting(
    config: Config, handle: Handler, refuse: Callable[[Exchange, RpcError], None]
) -> Handler:
    """Returns what has requests handled of clients that may call; `handle` itself where all may.

    Args:
        config: The config.
        handle: Answers requests.
        refuse: Answers them with an error.
    """
    given = config.addresses
    if not given.allow and not given.deny:
        return handle
    admits = admitted_by(given.allow, given.deny)

    def admit(exchange: Exchange) -> None:
        if admits(exchange.request.peer):
            handle(exchange)
        else:
            refuse(exchange, error("ADDRESS_DENIED", "Your address may not call this gateway."))

    return admit
