"""`gateway config`: about the config file itself. Reads none."""

from __future__ import annotations

import json

import typer

from gateway.config.json_schema import json_schema

app = typer.Typer(help="The config file itself.", no_args_is_help=True, add_completion=False)


@app.callback()
def config() -> None:
    """The config file itself."""


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of gateway.yaml, by which editors complete and check it.

    Save it with `gateway config schema > gateway.schema.json`, and begin gateway.yaml with the line
    `# yaml-language-server: $schema=gateway.schema.json`.
    """
    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
