"""Operations: what operators may ask of a running gateway, as pages of the admin listener.

`pages` has the table of them all, `asking` the terms in which one is asked. What an operation does
is its own; whether one process does it or several, is told by who asks.
"""

from gateway.operations.asking import (
    FAILED,
    NOT_ASKED_RIGHT,
    NOT_NOW,
    NOT_THERE,
    Ask,
    Content,
    OperationError,
)
from gateway.operations.pages import PAGES, PROMETHEUS, OperationPage, as_json, pages

__all__ = [
    "FAILED",
    "NOT_ASKED_RIGHT",
    "NOT_NOW",
    "NOT_THERE",
    "PAGES",
    "PROMETHEUS",
    "Ask",
    "Content",
    "OperationError",
    "OperationPage",
    "as_json",
    "pages",
]
