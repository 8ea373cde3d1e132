"""Who may call, how much and how: what policies and the listener refuse that they did not."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.app.compatibility.change import Change, Effect
from gateway.app.surface.model import Access, Method, Surface
from gateway.config.units import format_size


def access_changes(name: str, old: Access, new: Access) -> Iterator[Change]:
    """Yields what has changed in who may call a method.

    Args:
        name: Its full name.
        old: Who could.
        new: Who may.
    """
    if old.anonymous and not new.anonymous:
        message = "callers who show nobody are refused now"
        yield Change("access.authentication-needed", Effect.BREAKING, name, message, name)
    if old.providers is not None and new.providers is not None:
        gone = [each for each in old.providers if each not in new.providers]
        if gone and not new.anonymous:
            message = f"callers that {' and '.join(gone)} knows are refused now"
            yield Change("access.provider-removed", Effect.BREAKING, name, message, name)
    if more := [each for each in new.scopes if each not in old.scopes]:
        message = f"callers need {', '.join(more)} now"
        yield Change("access.scope-added", Effect.BREAKING, name, message, name)
    if new.roles and (not old.roles or not set(old.roles) <= set(new.roles)):
        message = f"callers need one of the roles {', '.join(new.roles)}"
        yield Change("access.role-needed", Effect.BREAKING, name, message, name)
    if new.when and new.when != old.when:
        message = f"callers must meet the condition {new.when}"
        yield Change("access.condition-changed", Effect.DANGEROUS, name, message, name)


def timeout_changes(name: str, old: Method, new: Method) -> Iterator[Change]:
    """Yields that a call of a method may take less time than it could."""
    if new.timeout and (not old.timeout or new.timeout < old.timeout):
        was = f"{old.timeout:g} s" if old.timeout else "any time"
        message = f"a call could take {was} and may take {new.timeout:g} s"
        yield Change("limits.timeout-lowered", Effect.DANGEROUS, name, message, name)


def listener_changes(old: Surface, new: Surface) -> Iterator[Change]:
    """Yields what has changed in how clients connect, and in how much they may ask."""
    if old.tls != new.tls:
        before, after = ("https", "http") if old.tls else ("http", "https")
        message = f"the listener spoke {before} and speaks {after}"
        yield Change("listener.tls-changed", Effect.BREAKING, "listener.tls", message)
    if new.client_certificate and not old.client_certificate:
        subject = "listener.tls.client_certificate"
        message = "clients must show a certificate now"
        yield Change("listener.certificate-needed", Effect.BREAKING, subject, message)
    for key, was in old.limits.items():
        now = new.limits.get(key)
        if now is not None and (was is None or now < was):
            before = "without a limit" if was is None else _limit(key, was)
            message = f"was {before} and is {_limit(key, now)}"
            yield Change("limits.lowered", Effect.DANGEROUS, key, message)


def _limit(key: str, limit: int) -> str:
    return format_size(limit) if key.endswith("_size") else str(limit)


def json_changes(old: Surface, new: Surface) -> Iterator[Change]:
    """Yields what has changed in how all messages look as JSON."""
    before, now = old.json, new.json
    if before.proto_names != now.proto_names:
        style = "those of the protos" if now.proto_names else "in lowerCamelCase"
        message = f"names in replies are {style} now"
        yield Change("json.names-changed", Effect.BREAKING, "rest.json.proto_names", message)
    if before.enums_as_numbers != now.enums_as_numbers:
        message = f"enums in replies are {'numbers' if now.enums_as_numbers else 'names'} now"
        yield Change("json.enums-changed", Effect.BREAKING, "rest.json.enums_as_numbers", message)
    if before.emit_defaults and not now.emit_defaults:
        message = "fields with their default value are not in replies any more"
        yield Change("json.defaults-left-out", Effect.DANGEROUS, "rest.json.emit_defaults", message)
    if before.ignores_unknown and not now.ignores_unknown:
        message = "fields that no message has were ignored, and are refused now"
        yield Change("json.unknown-refused", Effect.DANGEROUS, "rest.json.unknown_fields", message)
