"""`gateway log-level`: what it says of the levels that a gateway answers with."""

import json

import pytest

from gateway.cli import log_level
from tests.cli.processes import invoke

UPSTREAM = {"logger": "gateway.upstream", "level": "debug", "seconds": 599.7}
LIMITS = {"logger": "gateway.limits", "level": "info", "seconds": 60.0}


@pytest.fixture
def said(monkeypatch, tmp_path):
    def ask(levels, *arguments):
        answer = json.dumps({"levels": levels}).encode()
        monkeypatch.setattr(log_level, "post", lambda *_: answer)
        done = invoke("log-level", *arguments, "--admin", "http://127.0.0.1:9", cwd=tmp_path)
        assert done.code == 0
        return done.out.splitlines()

    return ask


@pytest.mark.parametrize("arguments", [(), ("debug", "--logger", "gateway.upstream")])
def test_each_level_that_is_changed_is_a_line(said, arguments):
    assert said([UPSTREAM], *arguments) == [
        "gateway.upstream logs from debug on, for another 10m",
    ]


@pytest.mark.parametrize("arguments", [(), ("usual",), ("usual", "--logger", "gateway.upstream")])
def test_none_is_changed(said, arguments):
    assert said([], *arguments) == ["all loggers have their usual levels"]


def test_one_falls_back_and_the_others_stay(said):
    """`usual` is of one logger, `gateway` by default: what is told of others is not its doing."""
    end = "to end that: gateway log-level usual --logger"
    assert said([LIMITS, UPSTREAM], "usual") == [
        "gateway has its usual level",
        f"gateway.limits still logs from info on, for another 1m; {end} gateway.limits",
        f"gateway.upstream still logs from debug on, for another 10m; {end} gateway.upstream",
    ]
    assert said([LIMITS], "usual", "--logger", "gateway.upstream") == [
        "gateway.upstream has its usual level",
        f"gateway.limits still logs from info on, for another 1m; {end} gateway.limits",
    ]
