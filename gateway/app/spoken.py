"""Which messages methods speak of: those they take and give, and all that these hold."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.schema.method import MethodDescriptor
from gateway.schema.registry import Registry


def messages_of(methods: Iterable[MethodDescriptor], registry: Registry) -> set[str]:
    """Returns the full names of all messages that are reached from methods."""
    pending = [registry.message(name) for each in methods for name in (each.input, each.output)]
    found: set[str] = set()
    while pending:
        message = pending.pop()
        if message.full_name not in found:
            found.add(message.full_name)
            pending += [each.message_type for each in message.fields if each.message_type]
    return found
