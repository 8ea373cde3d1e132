"""The words of `gateway why`, and the lines of `gateway tap`: whole, and harmless to a terminal."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gateway.cli import why
from gateway.cli.tap import line_of
from gateway.cli.why_words import lines_of, nothing_lines, reload_lines
from gateway.telemetry.recorder.explaining import Present, Setting, explain

KEPT = {
    "since": 0.0, "seen": 10, "places": 4, "failures": 1, "others": 2, "left_out": 7, "sample": 0.5,
}  # fmt: skip
ACCOUNT = {
    "request_id": "a\x1b[31mb",
    "kind": "request",
    "time": "2026-11-22T00:00:00.000Z",
    "generation": 1,
    "seconds": 0.5,
    "phases": [
        {"phase": "request body", "seconds": 0.1},
        {"phase": "policies and queues", "seconds": 0.1},
        {"phase": "backend", "seconds": 0.2},
        {"phase": "reply", "seconds": 0.1},
    ],
    "http": {"method": "GET", "path": "/v1/\x07", "query": ["a", "b"], "status": 503},
    "peer": "192.0.2.1",
    "principal": {"provider": "customers", "subject": "ann", "plan": "pro"},
    "front": "rest",
    "made": 3,
    "calls": [
        {
            "method": "a.B/C",
            "upstream": "shop",
            "began": 0.1,
            "seconds": 0.3,
            "error": {"code": "UNAVAILABLE", "reason": None, "message": "no\r\nnever"},
            "deadline": {"asked": 5, "allowed": 2.0},
            "waits": [{"what": "RateLimits", "began": 0.0, "seconds": 0.05}],
            "notes": [
                {
                    "what": "limits",
                    "told": [
                        {"limit": "user", "kind": "rate limit", "rate": "5/s", "by": ["principal"],
                         "allowed": True, "remaining": 4, "resets": 90.0, "wait": 0.0,
                         "retry_after": 0.0},
                        {"limit": "away", "kind": "rate limit", "rate": "5/s", "by": []},
                    ],
                }
            ],
            "attempts": [
                {"endpoint": "10.0.0.1:1", "began": 0.1, "seconds": 0.2, "code": "UNAVAILABLE",
                 "message": "no", "out": [{"cause": "unhealthy", "why": "it says so"}]}
            ],
            "attempts_made": 1,
        }
    ],
}  # fmt: skip
NOW = {"endpoints": [{"address": "10.0.0.1:1", "state": "ready", "out": [], "panic": False}]}


def test_what_is_written_as_json_moves_no_cursor(monkeypatch):
    account = {**ACCOUNT, "http": {**ACCOUNT["http"], "query": ["\x9b31m", "\u202e", "\x7f"]}}
    body = json.dumps({"rows": [account], "kept": KEPT}, ensure_ascii=False).encode()
    monkeypatch.setattr(why, "place", lambda *given: None)
    monkeypatch.setattr(why, "get", lambda *given: body)
    result = CliRunner().invoke(why.app, ["id", "--format", "json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == json.loads(body)
    assert result.stdout.rstrip("\n").isascii()
    assert "\x7f" not in result.stdout


@pytest.fixture
def words():
    setting = Setting("policies.timeout", "2s", "gateway.yaml:3 policies.0.timeout")
    row = {**explain(ACCOUNT, Present(2, [setting], None, NOW)), "worker": 2}
    return list(lines_of(row))


@pytest.mark.parametrize(
    "line",
    [
        "Request     a\\u001b[31mb, 2026-11-22T00:00:00.000Z, worker 2",
        "            GET /v1/\\u0007?a=…&b=… (rest)",
        "            from 192.0.2.1, by ann of customers (pro)",
        "            ended with 503 UNAVAILABLE after 500ms",
        "            and 2 more",
        "Attempts    1. 10.0.0.1:1, 200ms from +100ms, UNAVAILABLE: no",
        "               it was unhealthy then: it says so",
        "               now: ready",
        "Waited      50ms from +0ms at RateLimits",
        "Limits      user: 5/s by principal: 4 left, all again in 90s",
        "            away: 5/s by no key: it could not be asked",
        "            The config was reloaded since; these are of the present one.",
        "            policies.timeout  2s  gateway.yaml:3 policies.0.timeout",
    ],
)
def test_what_is_told(words, line):
    assert line.replace("            The", "Settings    The") in words


def test_nothing_moves_a_cursor(words):
    assert all(line.isprintable() for line in words)


def test_what_is_not_known_is_told_with_what_is_kept():
    text = "\n".join(nothing_lines("x\x1b", KEPT))
    assert "Nothing is kept of x\\u001b." in text
    assert "Of 10 requests since 1970-01-01T00:00:00Z the gateway keeps 3 of 4 at most" in text
    assert "7 failures came faster than they could be kept." in text


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"at": None}, "was not reloaded"),
        ({"at": 0.0, "refused": False}, "was taken"),
        ({"at": 0.0, "refused": True, "problems": ["gateway.yaml:1: no\x1b"]}, "no\\u001b"),
    ],
    ids=["none yet", "taken", "refused"],
)
def test_reloads(told, said):
    assert said in "\n".join(reload_lines(told))


ROW = {
    "time": 0.0, "request_id": "a\nb", "front": "rest", "what": "a.B/C", "status": 200, "close": 0,
    "code": "OK", "reason": None, "seconds": 0.0123, "peer": "", "principal": None,
    "endpoint": "10.0.0.1:1", "attempts": 2,
}  # fmt: skip


def test_a_line_of_a_request():
    assert line_of(ROW, colours=False) == (
        "00:00:00.000   200  OK    12.3ms  rest  a.B/C  -  -  10.0.0.1:1 (2 attempts)  a\\u000ab"
    )


@pytest.mark.parametrize(
    ("given", "colour"),
    [
        ({"status": 503, "code": "UNAVAILABLE", "reason": "CIRCUIT_OPEN"}, "\x1b[31m"),
        ({"status": 200, "code": "DEADLINE_EXCEEDED"}, "\x1b[31m"),
        ({"status": 404, "code": "NOT_FOUND"}, "\x1b[33m"),
        ({"status": 0, "code": "NOT_FOUND"}, "\x1b[33m"),
        ({}, "00:"),
        ({"code": None}, "00:"),
    ],
)
def test_what_failed_stands_out_where_there_are_colours(given, colour):
    line = line_of(ROW | given, colours=True)
    assert line.startswith(colour)
    assert line.endswith("\x1b[0m") is (colour != "00:")
    assert "\x1b" not in line_of(ROW | given, colours=False)


@pytest.mark.parametrize(
    "option", [["--failed"], ["--method", "a.*"], ["--limit", "5"]], ids=lambda each: each[0]
)
def test_what_is_said_of_a_list_is_not_said_of_one_request(option):
    result = CliRunner().invoke(why.app, ["id-1", *option])
    assert result.exit_code == 2
    assert "--last" in result.output
