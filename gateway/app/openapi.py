"""The OpenAPI document of what clients meet: from the config's policies and providers to facts.

What is described, and where, is decided here; how, by `gateway.fronts.rest.openapi`. Nothing is
made before somebody asks.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.app import settings
from gateway.app.identity import Identities
from gateway.config import Config, Settings
from gateway.config.identity_checks import NONE
from gateway.config.models.auth import Provider
from gateway.config.models.rest import Rest
from gateway.fronts.rest.compile import Compiled
from gateway.fronts.rest.incoming import Shared
from gateway.schema.registry import Registry

if TYPE_CHECKING:
    from gateway.app.graphql import GraphqlParts
    from gateway.fronts.rest.openapi.operations import Facts
    from gateway.fronts.rest.openapi.site import Site
    from gateway.fronts.rest.openapi.views import DescribedView

_COOKIE: Final = "-cookie"
"""What the scheme is called, behind its provider, that takes a token from a cookie."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What can be told of a REST front.

    Attributes:
        document: Makes the document, as JSON.
        site: Answers those who ask for it; None where nobody may.
    """

    document: Callable[[], dict[str, object]]
    site: Site | None


def described(
    config: Config,
    rest: Rest,
    compiled: Compiled,
    graphql: GraphqlParts | None,
    *,
    registry: Registry,
    method_settings: Mapping[str, Settings],
    identities: Identities,
    shared: Shared,
) -> Described:
    """Returns what can be told of a REST front.

    Args:
        config: The config.
        rest: Its section `rest`.
        compiled: The front.
        graphql: The graph whose views it serves; None where there is none.
        registry: The descriptors.
        method_settings: What holds for each method, by full name.
        identities: Who may see it.
        shared: What requests of REST share.
    """

    def document() -> dict[str, object]:
        # Nobody pays for it who is not asked.
        from gateway.fronts.rest.openapi.document import Api, Info, document  # noqa: PLC0415

        schemes = dict(_schemes(config.auth.providers))
        facts = _FactsOf(config, rest, schemes)
        return document(
            Api(
                info=Info(rest.info.title, rest.info.version, rest.info.description),
                registry=registry,
                routes=compiled.routes,
                json=settings.json_options(rest),
                server=posixpath.relpath("/", posixpath.dirname(rest.openapi or "/")),
                views=tuple(_views(rest, graphql, facts.of_views())) if graphql else (),
                facts={
                    each.method.name: facts.of(method_settings[each.method.name])
                    for each in compiled.routes
                },
                schemes=schemes,
            )
        )

    return Described(document, _site(config, rest, document, identities, shared))


def _site(
    config: Config,
    rest: Rest,
    document: Callable[[], dict[str, object]],
    identities: Identities,
    shared: Shared,
) -> Site | None:
    if rest.openapi is None:
        return None
    from gateway.fronts.rest.openapi.page import DocsPage, shipped  # noqa: PLC0415  as above
    from gateway.fronts.rest.openapi.site import Kept, Site  # noqa: PLC0415

    gate = identities.of_pages(config.pages.authenticate)
    page = None
    if rest.docs is not None:
        page = DocsPage(rest.docs, rest.openapi, rest.info.title, shipped(), gate)
    return Site(
        rest.openapi,
        Kept(document, private=gate is not None),
        page=page,
        docs=rest.docs or "",
        gate=gate,
        shared=shared,
    )


def _schemes(providers: Mapping[str, Provider]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yields the ways to show who calls, by name (`Security Scheme Object`)."""
    for name, given in providers.items():
        cookie = None
        if given.jwt is not None:
            yield name, {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            cookie = given.jwt.cookie
        elif given.introspection is not None:
            yield name, {"type": "http", "scheme": "bearer"}
            cookie = given.introspection.cookie
        elif given.api_key is not None:
            yield name, {"type": "apiKey", "in": "header", "name": given.api_key.header}
        elif given.basic is not None:
            yield name, {"type": "http", "scheme": "basic"}
        elif given.mtls is not None:
            yield name, {"type": "mutualTLS"}
        # Of an authorization service nobody knows what it looks at.
        if cookie is not None:
            yield name + _COOKIE, {"type": "apiKey", "in": "cookie", "name": cookie}


class _FactsOf:
    """Says of methods what their clients are told."""

    def __init__(
        self, config: Config, rest: Rest, schemes: Mapping[str, Mapping[str, object]]
    ) -> None:
        self._providers = config.auth.providers
        self._schemes = schemes
        self._planned = any(
            each.quotas.calls or each.quotas.messages or each.quotas.bytes
            for each in config.plans.values()
        )
        self._etag = rest.etag

    def of(self, given: Settings) -> Facts:
        """Returns what is told of a method."""
        from gateway.fronts.rest.openapi.operations import Facts  # noqa: PLC0415  as above

        limits = [each for each in given.rate_limits.values() if each.rate is not None]
        return Facts(
            security=self._security(given.authenticate, given.scopes),
            guarded=bool(self._providers),
            limited=self._planned or any(not each.dark for each in limits),
            tagged=self._etag or given.cached,
            cached=given.cached,
            ending=given.deprecated is not None,
        )

    def of_views(self) -> Facts:
        """Returns what is told of views: each call that they make lets in whom it does."""
        from gateway.fronts.rest.openapi.operations import Facts  # noqa: PLC0415  as above

        names = (*self._providers, NONE) if self._providers else None
        return Facts(
            security=self._security(names, ()),
            guarded=bool(self._providers),
            tagged=self._etag,
        )

    def _security(
        self, names: Iterable[str] | None, scopes: tuple[str, ...]
    ) -> tuple[Mapping[str, tuple[str, ...]], ...]:
        ways: list[Mapping[str, tuple[str, ...]]] = []
        if not self._providers:
            return ()
        for name in self._providers if names is None else names:
            # What lets in who shows nothing needs no scopes: a requirement of nothing.
            asked = [{each: scopes} for each in (name, name + _COOKIE) if each in self._schemes]
            ways += [{}] if name == NONE else asked
        return tuple(ways)


def _views(rest: Rest, graphql: GraphqlParts, facts: Facts) -> Iterator[DescribedView]:
    from gateway.fronts.graphql.trusted.described import described as of_view  # noqa: PLC0415
    from gateway.fronts.rest.openapi.views import DescribedView  # noqa: PLC0415  as above
    from gateway.routing.template import parse_prefix  # noqa: PLC0415

    prefix = parse_prefix(rest.prefix)
    for each in graphql.views:
        found = of_view(each.trusted, graphql.graph.schema)
        yield DescribedView(
            verb=each.verb,
            template=each.template.under(prefix),
            name=each.trusted.name,
            comment=found.comment,
            path=found.path,
            query=found.query,
            required=found.required,
            body=found.body,
            body_required=found.body_required,
            answer=found.answer,
            facts=facts,
        )
