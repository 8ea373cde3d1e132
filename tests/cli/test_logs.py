"""The application log: lines of text, or of JSON."""

import json
import logging

import pytest

from gateway.cli import logs
from gateway.cli.options import Level, LogForm


@pytest.fixture(autouse=True)
def restored():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


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


def test_one_process_has_no_number(capsys):
    assert "worker" not in json.loads(said(capsys, LogForm.JSON).splitlines()[0])
