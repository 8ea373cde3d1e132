"""Where the token comes from: fixed, or asked for anew for each connection."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias

Given: TypeAlias = "str | Callable[[], str | Awaitable[str | None] | None] | None"
"""A token, none, or a function that gives one; it may be a coroutine function."""


class Tokens:
    """The source of tokens of one client.

    Args:
        token: The first one, or what gives them.

    Raises:
        ValueError: It can't be a token.
    """

    __slots__ = ("_token",)

    def __init__(self, token: Given) -> None:
        self._token = token if callable(token) else _checked(token)

    @property
    def renews(self) -> bool:
        """Whether a new one can be had by asking."""
        return callable(self._token)

    def replace(self, token: str) -> None:
        """Takes a token for the connections that are still to come. A function stays in charge."""
        if not callable(self._token):
            self._token = _checked(token)

    async def ask(self) -> str | None:
        """Returns the token for now. What a user's function raises is passed on."""
        if not callable(self._token):
            return self._token
        given = self._token()
        return _checked(await given if inspect.isawaitable(given) else given)


def _checked(token: str | None) -> str | None:
    if token is not None and not (token and token.isascii()):
        raise ValueError("a token is a text of ASCII characters")
    return token
