"""What is made of protos that are compiled in this process."""

from dataclasses import replace

from gateway.routing.rules import implied_rule
from gateway.schema.codec import JsonOptions
from gateway.typescript import Api, Route, files
from gateway.typescript.api import Connection
from tests.fronts.graphql.graphs import of_text
from tests.fronts.websocket.node import PAGES

CONNECTION = Connection((PAGES / "client.js").read_text(), (PAGES / "client.d.ts").read_text())


def api(registry, services=None, **json):
    """All services of a registry, at every front but GraphQL's."""
    methods = [
        method
        for service in registry.services()
        if services is None or service in services
        for method in registry.methods(service)
    ]
    routes = [
        Route(rule.verb, rule.template, method, rule)
        for method in methods
        for rule in method.rules or (implied_rule(method),)
    ]
    return Api(registry, methods, JsonOptions(**json), routes, None, "/ws", CONNECTION)


def made_of(text, **json):
    """The files of one proto of package `test.v1`, given without its head."""
    return files(api(of_text(text), **json))


def types_of(text, **json):
    """The module of its types."""
    return made_of(text, **json)["types/test/v1.ts"]


def without_connection(given):
    """The same API without its WebSocket."""
    return replace(given, socket_path=None, connection=None)


def asked(messages, request="Ask", reply="Answer"):
    """A proto with a service of one method, and the messages."""
    return f"service S {{ rpc Do({request}) returns ({reply}); }}\n{messages}"
