"""The application log: lines of text, or of JSON."""

import json
import logging
import re
from pathlib import Path

import pytest

from gateway.cli import logs
from gateway.cli.options import Level, LogForm
from gateway.telemetry.tracing.export import Export
from gateway.telemetry.tracing.span import Kind, Span
from tests.telemetry.tracing.collector import collector

URLLIB3 = logging.getLogger("urllib3")


@pytest.fixture(autouse=True)
def restored():
    root = logging.getLogger()
    before, levels = root.handlers[:], [(each, each.level) for each in (root, URLLIB3)]
    yield
    root.handlers[:] = before
    for each, level in levels:
        each.setLevel(level)


def said(capsys, form, worker=None):
    logs.configure(logs.Logs(Level.INFO, form), worker=worker)
    log = logging.getLogger("gateway.upstream")
    log.debug("not this")
    log.warning("%s is\nill", "b1")
    log.error("a bug", exc_info=KeyError("x"))
    return capsys.readouterr().err


def test_text(capsys):
    lines = said(capsys, LogForm.TEXT, worker=2).splitlines()
    assert lines[0] == "warning gateway.upstream: worker 2: b1 is"
    assert lines[2] == "error gateway.upstream: worker 2: a bug"
    assert lines[-1] == "KeyError: 'x'"


def test_json_is_an_object_a_line(capsys):
    first, second = map(json.loads, said(capsys, LogForm.JSON, worker=2).splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "warning",
        "logger": "gateway.upstream",
        "message": "b1 is\nill",
        "worker": 2,
    }
    assert second["exception"].endswith("KeyError: 'x'")


def test_the_documentation_has_each_field_and_a_whole_line(capsys):
    page = Path(__file__).parents[2].joinpath("docs/logging.md").read_text("utf-8")
    section = page.partition("## The application log")[2]
    table = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    fields = [
        key for line in said(capsys, LogForm.JSON, 2).splitlines() for key in json.loads(line)
    ]
    assert table == list(dict.fromkeys(fields))
    (line,) = re.findall(r"```json\n(.*)\n```", section)
    assert list(json.loads(line)) == table[:4]


def test_one_process_has_no_number(capsys):
    assert "worker" not in json.loads(said(capsys, LogForm.JSON).splitlines()[0])


async def test_the_url_of_the_collector_is_not_logged_whatever_the_level(capsys):
    """Who sends by HTTP for the library of traces logs each request's path and query at debug."""
    logs.configure(logs.Logs(Level.DEBUG))
    with collector() as made:
        export = Export(f"{made.url}/?k=SECRET", "shop", "one")
        ids = {"trace_id": "01" * 16, "span": "02" * 8, "parent": None, "remote": False}
        said = {"state": "", "name": "x", "kind": Kind.SERVER, "attributes": {}}
        export.take([Span(**ids, **said, began=1.0, ended=2.0)], offset=0.0)
        await export.close()
    logging.getLogger("urllib3.connection").warning("Failed to parse headers (url=/?k=SECRET)")
    logging.getLogger("gateway").debug("the level is debug")
    assert made.spans
    told = capsys.readouterr().err
    assert "the level is debug" in told
    assert "SECRET" not in told
    assert "urllib3" not in told
