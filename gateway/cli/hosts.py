"""`--host`: what a command tells as clients of one host name of the config meet it."""

from __future__ import annotations

from gateway.app import Generation
from gateway.app.views import UnknownHostError, View
from gateway.app.views import views as views_of
from gateway.cli.failure import Failure


def views(generation: Generation, host: str | None = None) -> list[View]:
    """Returns the views of a generation, see `gateway.app.views`.

    Args:
        generation: It.
        host: Of which host alone: a name of the config, or one that it stands for.

    Raises:
        Failure: There is no such host.
    """
    try:
        return views_of(generation, host)
    except UnknownHostError as unknown:
        raise Failure(str(unknown)) from unknown


def with_one_graph(generation: Generation, host: str | None) -> Generation:
    """Returns the view of a generation for what is about one graph.

    Raises:
        Failure: There is no such host, or hosts have several graphs and none is said.
    """
    found = views(generation, host)
    graphs = {view.generation.graphql: view for view in found if view.generation.graphql}
    if len(graphs) > 1:
        several = ", ".join(view.hosts[0] for view in graphs.values())
        raise Failure(f"hosts have graphs of their own; say whose with --host: {several}")
    return next(iter(graphs.values()), found[0]).generation


def with_one_view(generation: Generation, host: str | None) -> Generation:
    """Returns the view of a generation for what is about all that one host serves.

    Raises:
        Failure: There is no such host, or hosts serve several things and none is said.
    """
    found = views(generation, host)
    if len(found) > 1:
        several = ", ".join(view.hosts[0] for view in found)
        raise Failure(f"hosts serve different things; say which with --host: {several}")
    return found[0].generation
