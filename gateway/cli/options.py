"""Options that several commands have, with the same names and words."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="The config file.", show_default="./gateway.yaml"
    ),
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Replace one value of the config, e.g. listener.address=127.0.0.1:0. May be repeated.",
    ),
]
Host: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="NAME",
        help="As clients of this host meet it, where the config has hosts.",
    ),
]
METHOD = typer.Argument(
    metavar="METHOD",
    show_default=False,
    help="An RPC: shop.catalog.v1.CatalogService/GetProduct, or the end of its name as far as "
    "it is unique: CatalogService.GetProduct, GetProduct.",
)
Method: TypeAlias = Annotated[str, METHOD]


class Level(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


LogLevel: TypeAlias = Annotated[
    Level, typer.Option("--log-level", help="The least that is logged on standard error.")
]


class LogForm(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


LogFormat: TypeAlias = Annotated[
    LogForm, typer.Option("--log-format", help="How lines on standard error are written.")
]
