"""A person's terminal: progress of long work on standard error, nothing where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.schema.progress import Progress


@contextmanager
def progress() -> Iterator[Callable[[Progress], None]]:
    """Shows how far long work is, while the context lasts.

    Yields:
        What is told each step.
    """
    if not sys.stderr.isatty():
        yield _silent
        return
    # Only terminals need it, and only then is its import worth its time.
    from rich import progress as bars  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("starting", total=None)

        def tell(step: Progress) -> None:
            shown.update(task, description=step.text, completed=step.done, total=step.total or None)

        yield tell


def _silent(_: Progress) -> None:
    """Tells nobody."""
