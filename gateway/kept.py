"""What fronts and whoever keeps replies know of each other: shapes only.

A call says what it asks for by keys (`Keys`), and a reply that is kept has a place for what fronts
made of it (`Forms`). How, where and for how long anything is kept is known to neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Keys(Protocol):
    """What a call asks for by keys, each of which may be answered by itself.

    Its answers can be kept key by key (`policies.cache`): the call names all keys, so that gates
    see all that is asked for, and only what is not kept is asked of the backend. An answer is the
    serialized reply to a call for its key alone; serialized replies that follow each other are one
    (protobuf's encoding guide, "Last One Wins"), as what they hold is repeated.

    Attributes:
        kept: Answers that need not be asked for, by the place of their key. Whoever keeps them
            puts them here: they hold also where the call for the others fails.
    """

    kept: dict[int, bytes]

    @property
    def rest(self) -> bytes:
        """What is asked of each key, and how answers are told apart: the same bytes for the same.

        An answer of a method holds for its key and this.
        """

    @property
    def names(self) -> Sequence[bytes]:
        """Each key as bytes, no two the same."""

    def request(self, places: Sequence[int]) -> bytes:
        """Returns the serialized request for some of the keys."""

    def split(self, places: Sequence[int], message: bytes) -> Sequence[bytes] | None:
        """Returns the answer of each of these keys, given the reply to a call for them.

        An answer is empty where the reply has nothing for its key. None where the reply is no
        message of its type: whoever made the call will find that out.
        """


class KeptBody(NamedTuple):
    """A reply's body that is a form of a message that is kept: what it is sent as is kept too.

    Attributes:
        forms: The message's.
        form: Which of them the body is.
    """

    forms: Forms
    form: object


class Forms(Protocol):
    """The forms that fronts have made of a message that is kept."""

    def get(self, form: object) -> bytes | None:
        """Returns the message in a form, or None.

        Args:
            form: What makes it, and would make the same of the same message.
        """

    def keep(self, form: object, made: bytes) -> None:
        """Takes the message in a form."""
