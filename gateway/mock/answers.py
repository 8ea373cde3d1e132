"""What a method answers: made-up messages that fit what was asked.

- What a request names is what its answer is of: `GetProduct(id: "p1")` has the id `p1`, and all
  else of it follows from the type and the id, so that every method tells the same of it.
- What a request gives comes back: the fields of a thing that is created or changed, and all that
  request and reply have under the same name and type.
- A listing has three pages, and totals that say so.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway.call import Code, RpcError, Status
from gateway.mock import echoes
from gateway.mock.dice import Dice
from gateway.mock.messages import Maker
from gateway.mock.shape import MOST, PAGE, PAGES, Batch, Listing, Shape, identity_of
from gateway.mock.typed import messages_of, owner_of, type_of
from gateway.mock.values import snake

_TOKEN: Final = re.compile(r"page-(\d{1,9})-of-made-up\Z")
_EVENTS: Final = (3, 5)  # messages of a stream
_KEYS: Final = 1000  # that are asked for at once
_GROUP: Final = 3  # items of each key, where a key has several
_RECEIVED: Final = re.compile(
    r"(.*_)?(count|counted|received|accepted|created|total|messages)(_count)?"
)
_COUNTS: Final = re.compile(r"(.*_)?(count|counts|total|total_size)")
_NAMES_ITS_CALL: Final = ("page_size", "page_token", "validate_only", "request_id", "etag")


class Answers:
    """Makes the answers of one method.

    Args:
        maker: Makes messages.
        method: Its full name.
        shape: What its answers are.
        reply: The type of its replies.
        dice: All that is open follows from them; the same for every method.
    """

    def __init__(
        self,
        maker: Maker,
        method: str,
        shape: Shape,
        reply: Descriptor,
        dice: Dice,
    ) -> None:
        self._maker = maker
        self._method = method
        self._shape = shape
        self._reply = reply
        self._dice = dice

    def unary(self, request: Message) -> Message:
        """Returns the answer to a request.

        Raises:
            RpcError: INVALID_ARGUMENT, for a page that no answer has told of, or for too many keys.
        """
        shape = self._shape
        if shape.batch is not None and getattr(request, shape.batch.keys.name):
            return self._batch(request, shape.batch)
        if shape.listing is not None:
            return self._listing(request, shape.listing)
        return self._thing(self._reply, request, 0, ())

    def events(self, request: Message) -> int:
        """Returns how many messages a stream sends, if no client ends it: as asked, or a few."""
        for name in ("count", "limit", "max_messages"):
            field = type_of(request).fields_by_name.get(name)
            if field is not None and _is_integer(field) and getattr(request, name) > 0:
                return min(int(getattr(request, name)), MOST)
        return self._open(request, 0).of("events").between(*_EVENTS)

    def event(self, request: Message, number: int) -> Message:
        """Returns one of the messages that a stream sends.

        Args:
            request: The request, or the client's message that it answers.
            number: Its place in the stream, from 1.
        """
        return self._thing(self._reply, request, number, ())

    def received(self, first: Message, count: int) -> Message:
        """Returns the answer to a stream of requests.

        Args:
            first: The first of them, or an empty one.
            count: How many there were.
        """
        made = self.unary(first)
        counted = False
        for field in self._reply.fields:
            if _is_integer(field) and _RECEIVED.fullmatch(field.name):
                setattr(made, field.name, 0 if counted else count)
                counted = True
        return made

    # One thing.

    def _thing(
        self, of: Descriptor, request: Message, number: int, above: tuple[str, ...]
    ) -> Message:
        """Returns a message that is about what a request names or gives."""
        if of.full_name == type_of(request).full_name:
            made = self._maker.new(of)
            made.CopyFrom(request)
            return made
        given = echoes.given(request, of)
        if given is not None and not self._shape.changes:
            return self._created(given, request)
        identity = identity_of(of)
        asked = None if identity is None else self._asked(identity, request, given, above)
        key = asked
        if identity is not None and key is None and number:
            key = self._maker.key(identity, number)
        named = identity is not None and key is not None
        dice = self._entity(identity, key) if identity and named else self._open(request, number)
        # A thing that no request names is as any method tells of it, whatever its place.
        made = self._maker.message(of, dice, 0 if named and asked is None else number)
        if identity is not None and named:
            setattr(made, identity.name, key)
        if given is not None:
            self._changed(made, given, request)
        self._echo(made, request)
        if not above and identity is None:
            self._within(made, request, number)
        self._maker.completed(made, dice)
        return made

    def _asked(
        self,
        identity: FieldDescriptor,
        request: Message,
        given: Message | None,
        above: tuple[str, ...],
    ) -> Any:
        """Returns the key of the thing that a request is about; None where it names none."""
        if given is not None and (key := echoes.value(given, identity.name, identity)) is not None:
            return key
        noun = snake(owner_of(identity).name)
        names = [identity.name, f"{noun}_id", noun, f"{noun}_name"]
        if above:
            names += [f"{above[-1]}_id", above[-1], "id"]
        for name in names:
            if (key := echoes.value(request, name, identity)) is not None:
                return key
        return None

    def _created(self, given: Message, request: Message) -> Message:
        """Returns a thing as it was given, with all that its server adds."""
        made = self._maker.new(type_of(given))
        made.CopyFrom(given)
        dice = self._open(request, 0)
        identity = identity_of(type_of(given))
        if identity is not None and not getattr(made, identity.name):
            setattr(made, identity.name, self._new_key(identity, request, dice))
        self._maker.completed(made, dice)
        return made

    def _new_key(self, identity: FieldDescriptor, request: Message, dice: Dice) -> Any:
        """Returns the key of a thing that is made: the one that a request wants (AIP-133)."""
        made = self._maker.key(identity, dice.of("key").between(1000, 9999))
        wanted = echoes.value(request, f"{snake(owner_of(identity).name)}_id", identity)
        if not isinstance(made, str) or "/" not in made:
            return made if wanted is None else wanted
        parent = echoes.value(request, "parent", identity)
        *around, collection, last = made.split("/")
        if parent is not None and len(parent.split("/")) == len(around):
            around = parent.split("/")
        return "/".join((*around, collection, last if wanted is None else wanted))

    def _changed(self, made: Message, given: Message, request: Message) -> None:
        """Takes over what a request changes: what its mask names, or all that is set."""
        mask = self._shape.mask
        paths = list(getattr(request, mask.name).paths) if mask is not None else []
        if not paths or "*" in paths:
            for field, _ in given.ListFields():
                echoes.copy(made, given, field.name)
            return
        for path in paths:
            echoes.copy_path(made, given, path.split("."))

    def _within(self, made: Message, request: Message, number: int) -> None:
        """Has the things in an answer be about the request, too: `order` of `PreviewOrderReply`."""
        for field in type_of(made).fields:
            of = field.message_type
            if of is None or field.is_repeated or not made.HasField(field.name):
                continue
            is_request = of.full_name == type_of(request).full_name
            if is_request or identity_of(of) is not None or echoes.given(request, of) is not None:
                inner = self._thing(of, request, number, (field.name,))
                getattr(made, field.name).CopyFrom(inner)

    def _echo(self, made: Message, request: Message) -> None:
        """Has an answer say what its request said, under the same name and type."""
        for field, _ in request.ListFields():
            mine = type_of(made).fields_by_name.get(field.name)
            if mine is not None and echoes.alike(mine, field) and field.name not in _NAMES_ITS_CALL:
                echoes.copy(made, request, field.name)
        noun = type_of(made).fields_by_name.get(f"{self._shape.noun}_id")
        if noun is not None and (key := echoes.value(request, "id", noun)) is not None:
            setattr(made, noun.name, key)

    # Several.

    def _batch(self, request: Message, batch: Batch) -> Message:
        made = self._around(request, batch.items)
        items: Any = getattr(made, batch.items.name)
        keys = list(dict.fromkeys(getattr(request, batch.keys.name)))
        if len(keys) > _KEYS:
            text = f"At most {_KEYS} things are made up at once."
            raise RpcError(Status(Code.INVALID_ARGUMENT, text))
        of = messages_of(batch.items)
        if batch.by is None:
            value = messages_of(of.fields_by_name["value"])
            for key in keys:
                items[key].CopyFrom(self._maker.message(value, self._dice.of(value.full_name, key)))
            return made
        for key in keys:
            for each in self._of_key(batch, key, request):
                items.append(each)
        self._count(made, len(items))
        return made

    def _of_key(self, batch: Batch, key: Any, request: Message) -> Iterator[Message]:
        """Yields what is found by a key."""
        by, identity, of = batch.by, batch.identity, messages_of(batch.items)
        assert by is not None
        if identity is None:
            item = self._maker.message(of, self._entity(by, key))
            setattr(item, by.name, key)
            self._maker.completed(item, self._entity(by, key))
            yield item
            return
        bound = self._bound(request)
        first = self._dice.of(of.full_name, by.name, key).between(1, 900)
        for number in range(first, first + min(_GROUP, bound)):
            own = self._maker.key(identity, number)
            item = self._maker.message(of, self._entity(identity, own))
            setattr(item, identity.name, own)
            setattr(item, by.name, key)
            self._maker.completed(item, self._entity(identity, own))
            yield item

    def _bound(self, request: Message) -> int:
        for name in ("limit", "page_size", "first", "max_results"):
            field = type_of(request).fields_by_name.get(name)
            if field is not None and _is_integer(field) and getattr(request, name) > 0:
                return min(int(getattr(request, name)), MOST)
        return MOST

    def _listing(self, request: Message, listing: Listing) -> Message:
        size = PAGE
        if listing.size is not None and (asked := getattr(request, listing.size.name)) > 0:
            size = min(int(asked), MOST)
        filters = self._filters(request, listing)
        total = size * (PAGES - 1) + filters.between(1, size) if listing.paged else size
        begin = 0 if not listing.paged else self._begin(request, listing, total)
        end = min(begin + size, total)
        made = self._around(request, listing.items)
        items: Any = getattr(made, listing.items.name)
        # Of a listing without filters, the first has the number 1; others are of other things.
        plain = not self._without_page(request, listing)
        apart = 0 if plain else filters.of("apart").between(1, 9) * 1000
        for place in range(begin + 1, end + 1):
            items.append(self._item(request, listing, apart + place, place))
        if listing.next is not None:
            token = _written(end) if listing.paged and end < total else ""
            setattr(made, listing.next.name, token)
        if listing.more is not None:
            setattr(made, listing.more.name, listing.paged and end < total)
        if listing.total is not None:
            setattr(made, listing.total.name, total)
        self._count(made, len(items), listing.total)
        return made

    def _item(self, request: Message, listing: Listing, number: int, place: int) -> Message:
        of, identity = messages_of(listing.items), listing.identity
        if identity is None:
            dice = self._open(request, number)
            item = self._maker.message(of, dice, place)
        else:
            key = self._maker.key(identity, number)
            dice = self._entity(identity, key)
            item = self._maker.message(of, dice)
            setattr(item, identity.name, key)
        self._echo(item, request)
        self._maker.completed(item, dice)
        return item

    def _begin(self, request: Message, listing: Listing, total: int) -> int:
        assert listing.token is not None
        token = getattr(request, listing.token.name)
        if not token:
            return 0
        begin = _read(token)
        if begin is None:
            text = "The page token is none that an answer had."
            raise RpcError(Status(Code.INVALID_ARGUMENT, text))
        return min(begin, total)

    def _filters(self, request: Message, listing: Listing) -> Dice:
        """Returns dice of what is listed, whichever page of it."""
        return self._dice.of(self._method, self._without_page(request, listing))

    def _without_page(self, request: Message, listing: Listing) -> bytes:
        rest = self._maker.new(type_of(request))
        rest.CopyFrom(request)
        for field in (listing.size, listing.token):
            if field is not None:
                rest.ClearField(field.name)
        return rest.SerializeToString(deterministic=True)

    def _around(self, request: Message, items: FieldDescriptor) -> Message:
        """Returns an answer without its items."""
        made = self._maker.message(self._reply, self._open(request, 0))
        made.ClearField(items.name)
        self._echo(made, request)
        self._within(made, request, 0)
        self._maker.completed(made, self._open(request, 0))
        made.ClearField(items.name)
        return made

    def _count(
        self,
        made: Message,
        count: int,
        apart: FieldDescriptor | None = None,
    ) -> None:
        """Has what counts an answer's items be right."""
        for field in type_of(made).fields:
            if field is not apart and _is_integer(field) and _COUNTS.fullmatch(field.name):
                setattr(made, field.name, count)

    # Dice.

    def _entity(self, identity: FieldDescriptor, key: Any) -> Dice:
        """Returns the dice of a thing, whichever method tells of it."""
        return self._dice.of("thing", owner_of(identity).full_name, identity.name, str(key))

    def _open(self, request: Message, number: int) -> Dice:
        """Returns the dice of what no key tells apart: the method and its request do."""
        data = request.SerializeToString(deterministic=True)
        return self._dice.of("call", self._method, data, number)


def _is_integer(field: FieldDescriptor) -> bool:
    kinds = (
        *(field.CPPTYPE_INT32, field.CPPTYPE_INT64),
        *(field.CPPTYPE_UINT32, field.CPPTYPE_UINT64),
    )
    return field.cpp_type in kinds and not field.is_repeated


def _written(begin: int) -> str:
    return urlsafe_b64encode(f"page-{begin}-of-made-up".encode()).decode().rstrip("=")


def _read(token: str) -> int | None:
    try:
        found = _TOKEN.match(urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    except ValueError:  # binascii.Error and UnicodeDecodeError are
        return None
    return None if found is None else int(found[1])
