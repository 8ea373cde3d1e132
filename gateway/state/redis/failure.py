"""What goes wrong with a shared state, as one error, in words that hold no secret."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 200  # characters of what a failure says


class StateUnavailable(Exception):  # noqa: N818  it says what is so
    """The shared state did not do what it was asked, for whatever reason.

    It may have done it all the same where the answer did not come in time.
    """


def said(failure: BaseException) -> str:
    """Returns what a failure says, less what the server quotes of the command it was sent."""
    text = str(failure).partition(", with args")[0].strip()
    return " ".join(text.split())[:_LONGEST] or type(failure).__name__
