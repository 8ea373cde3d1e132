"""What a method's answer is, by the shapes of its request and its reply: data, found once.

Four shapes, tried in this order:
- `Batch`: keys are asked for, and a list or a map has what is found by each, in their order;
- `Listing`: a list of things, a page at a time where the request has a field for that;
- `Thing`: one thing, told apart by a field of its own, or that holds such a thing;
- else the reply is of nothing in particular.

By the names that AIP-131 to AIP-136, AIP-158 and AIP-231 have, and the usual ones beside them. What
a backend means by them is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.mock.typed import messages_of
from gateway.mock.values import snake
from gateway.schema.codec.traits import is_map_entry

PAGE: Final = 10
"""Items of a page where a request says nothing of its size."""
PAGES: Final = 3
"""Pages of a listing."""
MOST: Final = 100
"""Items of an answer at most."""

_SIZES: Final = ("page_size", "limit", "max_results", "per_page", "first", "size", "top", "count")
_TOKENS: Final = ("page_token", "cursor", "after", "next_token")
_NEXT: Final = ("next_page_token", "next_cursor", "next_token", "cursor", "end_cursor")
_MORE: Final = ("has_more", "has_next", "has_next_page")
_TOTALS: Final = ("total_size", "total", "total_count", "total_results", "total_items", "count")
_LISTS: Final = re.compile(r"(List|Search|Query|Find|Batch|GetAll|Lookup)[A-Z].*")
_ANSWERS: Final = re.compile(r".*(Response|Reply|Result|Results|List|Page|Connection)")
_CHANGES: Final = re.compile(r"(Update|Patch|Modify|Edit)[A-Z]?.*")
_MASK: Final = "google.protobuf.FieldMask"


@dataclass(frozen=True, slots=True)
class Batch:
    """What is asked for by several keys.

    Attributes:
        keys: The request's field.
        items: The reply's field.
        by: The field of an item that has its key; None where the items are of a map.
        identity: The field that an item is told apart by, where a key has several items; else None.
    """

    keys: FieldDescriptor
    items: FieldDescriptor
    by: FieldDescriptor | None
    identity: FieldDescriptor | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of things.

    Attributes:
        items: The reply's field.
        identity: The field that an item is told apart by; None where there is none.
        size: The request's field that says how many; None where there is none.
        token: The request's field that says which page; None where there is none.
        next: The reply's field that says how to get the next page; None where there is none.
        more: The reply's field that says whether there is one; None where there is none.
        total: The reply's field that says how many there are; None where there is none.
    """

    items: FieldDescriptor
    identity: FieldDescriptor | None
    size: FieldDescriptor | None
    token: FieldDescriptor | None
    next: FieldDescriptor | None
    more: FieldDescriptor | None
    total: FieldDescriptor | None

    @property
    def paged(self) -> bool:
        """Whether there are pages."""
        return self.token is not None and self.next is not None


@dataclass(frozen=True, slots=True)
class Shape:
    """What a method's answer is.

    Attributes:
        noun: What the method is about, `product` of `GetProduct`.
        changes: Whether a request has the new fields of a thing, the others staying as they are.
        mask: The request's field that says which; None where there is none.
        batch: What is asked for by several keys; None where nothing is.
        listing: The list that it answers with; None where it does not.
    """

    noun: str
    changes: bool
    mask: FieldDescriptor | None
    batch: Batch | None
    listing: Listing | None


def shape_of(name: str, request: Descriptor, reply: Descriptor) -> Shape:
    """Returns the shape of a method's answers.

    Args:
        name: The method's own name, `GetProduct`.
        request: The type of its requests.
        reply: The type of its replies.
    """
    mask = next(
        (
            each
            for each in request.fields
            if each.message_type is not None
            and each.message_type.full_name == _MASK
            and not each.name.startswith(("read", "view", "field"))
        ),
        None,
    )
    words = snake(name).split("_", 1)
    batch = _batch(name, request, reply)
    return Shape(
        noun=words[-1],
        changes=mask is not None or _CHANGES.fullmatch(name) is not None,
        mask=mask,
        batch=batch,
        listing=None if batch is not None else _listing(name, request, reply),
    )


def identity_of(message: Descriptor) -> FieldDescriptor | None:
    """Returns the field that messages of a type are told apart by; None where there is none."""
    own = snake(message.name)
    for name in ("id", f"{own}_id", "uuid", "uid", f"{own}_uuid", "name"):
        field = message.fields_by_name.get(name)
        if field is not None and is_key(field):
            return field
    return None


def is_key(field: FieldDescriptor) -> bool:
    """Whether a field may hold a key: one text or integer."""
    return not field.is_repeated and _is_key_kind(field)


def _is_key_kind(field: FieldDescriptor) -> bool:
    kinds = (
        *(field.CPPTYPE_INT32, field.CPPTYPE_INT64, field.CPPTYPE_UINT32, field.CPPTYPE_UINT64),
        field.CPPTYPE_STRING,
    )
    return field.cpp_type in kinds and field.type != field.TYPE_BYTES


def _batch(name: str, request: Descriptor, reply: Descriptor) -> Batch | None:
    bounded = _number(request, _SIZES) is not None
    for keys in request.fields:
        if not keys.is_repeated or not _is_key_kind(keys):
            continue
        singular = _singular(keys.name)
        for items in reply.fields:
            of = items.message_type
            if of is None or not items.is_repeated:
                continue
            if is_map_entry(of):
                value = of.fields_by_name["value"].message_type
                if of.fields_by_name["key"].type == keys.type and value is not None:
                    return Batch(keys, items, None, None)
                continue
            by = of.fields_by_name.get(singular)
            identity = identity_of(of)
            if by is None and identity is not None and _names(keys.name, of):
                by = identity
            several = bounded or name.startswith("List") or (identity and identity.name in _own(of))
            if by is None or by.type != keys.type or by.is_repeated:
                continue
            return Batch(keys, items, by, None if identity is by or not several else identity)
    return None


def _own(of: Descriptor) -> tuple[str, ...]:
    return ("id", "uuid", "uid", f"{snake(of.name)}_id")


def _names(keys: str, of: Descriptor) -> bool:
    """Whether a field's name says that it holds the keys of a type: `product_ids` of `Product`."""
    return _singular(keys) in (*_own(of), "key", "name")


def _singular(name: str) -> str:
    return re.sub(r"(?:(?<=s|x)es|(?<!s)s)$", "", name) or name


def _listing(name: str, request: Descriptor, reply: Descriptor) -> Listing | None:
    items = next(
        (
            each
            for each in reply.fields
            if each.is_repeated
            and each.message_type is not None
            and not is_map_entry(each.message_type)
        ),
        None,
    )
    if items is None:
        return None
    size, token = _number(request, _SIZES), _text(request, _TOKENS)
    named = _LISTS.fullmatch(name) is not None or _ANSWERS.fullmatch(reply.name) is not None
    if not named and (size is None or token is None):
        return None
    return Listing(
        items=items,
        identity=identity_of(messages_of(items)),
        size=size,
        token=token,
        next=_text(reply, _NEXT),
        more=_first(reply, _MORE, (FieldDescriptor.CPPTYPE_BOOL,)),
        total=_number(reply, _TOTALS),
    )


def _first(of: Descriptor, names: Iterable[str], kinds: tuple[int, ...]) -> FieldDescriptor | None:
    for name in names:
        field = of.fields_by_name.get(name)
        if field is not None and field.cpp_type in kinds and not field.is_repeated:
            return field
    return None


def _text(of: Descriptor, names: Iterable[str]) -> FieldDescriptor | None:
    return _first(of, names, (FieldDescriptor.CPPTYPE_STRING,))


def _number(of: Descriptor, names: Iterable[str]) -> FieldDescriptor | None:
    kinds = FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64
    return _first(
        of, names, (*kinds, FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64)
    )
