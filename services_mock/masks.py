"""Applies a FieldMask to a message, as AIP-134 has updates done.

Paths go through singular messages only; `*` is everything; an empty mask is what the source fills.
"""

from collections.abc import Iterable
from typing import Any

from services_mock.failure import invalid


def _copy(path: str, source: Any, target: Any) -> None:
    """Makes one path of the target what it is in the source, absence included.

    Raises:
        KeyError: the path leads nowhere.
    """
    name, _, rest = path.partition(".")
    field = source.DESCRIPTOR.fields_by_name[name]
    if rest:
        if field.message_type is None or field.is_repeated:
            raise KeyError(path)
        _copy(rest, getattr(source, name), getattr(target, name))
        return
    target.ClearField(name)
    if field.is_repeated or (field.message_type is not None and source.HasField(name)):
        getattr(target, name).MergeFrom(getattr(source, name))
    elif not field.has_presence or source.HasField(name):
        setattr(target, name, getattr(source, name))


def update(
    target: Any,
    source: Any,
    paths: Iterable[str],
    keep: Iterable[str],
    field: str = "update_mask",
) -> None:
    """Changes the target's fields that the paths name to the source's.

    Args:
        target: the stored message; changed in place, and only if all paths are good.
        source: a message of the same type.
        paths: the mask's paths, in proto names.
        keep: fields that no update changes, such as `id`; naming them is allowed and does nothing.
        field: the name that the mask has in its request, for the error.

    Raises:
        Failure: a path leads nowhere.
    """
    paths = list(paths) or [filled.name for filled, _ in source.ListFields()]
    if "*" in paths:
        paths = [every.name for every in source.DESCRIPTOR.fields]
    changed = type(target)()
    changed.CopyFrom(target)
    for path in paths:
        try:
            _copy(path, source, changed)
        except KeyError:
            kind = source.DESCRIPTOR.name
            raise invalid(field, f"{path!r} is not a field of {kind}") from None
    for name in keep:
        _copy(name, target, changed)
    target.CopyFrom(changed)
