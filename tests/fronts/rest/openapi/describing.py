"""The routes of nasty.proto, described with what options there are."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

from gateway.fronts.rest.compile import Listed, routes_of
from gateway.fronts.rest.openapi.document import Api, Info, document
from gateway.routing.template import parse_prefix
from gateway.schema.cache import Cache
from gateway.schema.codec import JsonOptions
from gateway.schema.folders import Folder
from gateway.schema.load import Sources, load


@cache
def loaded():
    """The types, and the methods by service."""
    return asyncio.run(load(Sources(folders=[Folder(Path(__file__).parent)]), cache=Cache(None)))


def routes(prefix=""):
    """All bindings of nasty.proto."""
    methods = loaded().registry.methods("nasty.v1.Things")
    made = routes_of(methods, parse_prefix(prefix), unannotated=True)
    return [Listed(rule.verb, str(template), method, rule) for method, rule, template in made]


def described(prefix="", facts=None, schemes=None, **json):
    """The document of nasty.proto."""
    return document(
        Api(
            Info("Nasty"),
            loaded().registry,
            routes(prefix),
            json=JsonOptions(**json),
            facts=facts or {},
            schemes=schemes or {},
        )
    )


def operations(of):
    """All operations by their ids."""
    return {
        each["operationId"]: each
        for item in of["paths"].values()
        for each in (*item.values(), *item.get("x-additional-operations", {}).values())
        if "operationId" in each
    }
