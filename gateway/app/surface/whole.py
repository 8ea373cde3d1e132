"""Whether a surface that was read from a file is whole: all that is named in it is in it.

Who compares surfaces follows names without looking. Of a generation they are there; a file may have
been cut, merged badly or edited.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.app.surface.model import Field, Message, Route, Site, Surface
from gateway.routing.template import Template, TemplateError, parse

_MESSAGES: Final = ("message", "group")


def missing(surface: Surface) -> Iterator[str]:
    """Yields what is named and is not there, or can't be read, each in a few words."""
    if not surface.sites:
        yield "sites: there is none"
    for name, method in surface.methods.items():
        for each in (method.input, method.output):
            if each not in surface.messages:
                yield f"methods.{name}: there is no message {each}"
    for name, message in surface.messages.items():
        for field in message.fields:
            known = surface.messages if field.type in _MESSAGES else surface.enums
            if field.of and field.of not in known:
                yield f"messages.{name}: there is no {field.of}"
    for name, site in surface.sites.items():
        for each in _of_site(site, surface):
            yield f"sites.{name}: {each}"


def _of_site(site: Site, surface: Surface) -> Iterator[str]:
    sockets = () if site.websocket is None else site.websocket.sockets
    for name in (*site.methods, *(each.method for each in sockets)):
        if name not in surface.methods:
            yield f"there is no method {name}"
    for socket in sockets:
        if _parsed(socket.template) is None:
            yield f"{socket.template} is no template"
    for route in () if site.rest is None else site.rest.routes:
        yield from _of_route(route, surface)
    if site.graphql is not None:
        # Only who serves a graph pays for its import.
        from graphql import GraphQLError, build_schema  # noqa: PLC0415  see above

        try:
            build_schema(site.graphql.sdl)
        except (GraphQLError, TypeError) as wrong:
            yield f"graphql.sdl: {' '.join(str(wrong).split())}"


def _of_route(route: Route, surface: Surface) -> Iterator[str]:
    template = _parsed(route.template)
    if template is None:
        yield f"{route.template} is no template"
        return
    if not route.method:  # a view's
        return
    method = surface.methods.get(route.method)
    request = None if method is None else surface.messages.get(method.input)
    reply = None if method is None else surface.messages.get(method.output)
    if request is None or reply is None:
        yield f"there is no method {route.method}"
        return
    paths = [each.path for each in template.variables]
    if route.body not in {"", "*"}:
        paths.append((route.body,))
    for path in paths:
        if not _has(surface, request, path):
            yield f"{route.template}: there is no field {'.'.join(path)}"
    if route.response_body and _field(reply, route.response_body) is None:
        yield f"{route.template}: there is no field {route.response_body}"


def _has(surface: Surface, message: Message | None, path: tuple[str, ...]) -> bool:
    for name in path:
        field = None if message is None else _field(message, name)
        if field is None:
            return False
        message = surface.messages.get(field.of)
    return True


def _field(message: Message, name: str) -> Field | None:
    return next((each for each in message.fields if each.name == name), None)


def _parsed(template: str) -> Template | None:
    try:
        return parse(template)
    except TemplateError:
        return None
