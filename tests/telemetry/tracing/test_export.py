"""Spans on their way to a collector: what it is told, and what happens where it is not there."""

import asyncio
import logging
import time

import pytest

from gateway.telemetry.tracing import export as module
from gateway.telemetry.tracing.export import Export, endpoint_of
from gateway.telemetry.tracing.sending import Words
from gateway.telemetry.tracing.span import Event, Kind, Span
from tests.telemetry.tracing.collector import collector
from tests.upstream.fakes import Clock

TRACE = "01" * 16


def span(number=2, **more):
    given = {
        "remote": True, "state": "a=1", "name": "GET /v1", "kind": Kind.SERVER,
        "began": 1.5, "ended": 2.0, "attributes": {"text": "x", "number": 1, "switch": True},
    }  # fmt: skip
    return Span(**{"trace_id": TRACE, "span": f"{number:016x}", "parent": "07" * 8} | given | more)


def lines(caplog):
    """What the gateway's own log says; pytest also hears the library's, which go no further."""
    return [each.getMessage() for each in caplog.records if each.name == "gateway.tracing"]


@pytest.fixture
def env(monkeypatch):
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_BSP_MAX_QUEUE_SIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    return monkeypatch


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
        ("https://otlp.example/ingest", "https://otlp.example/ingest/v1/traces"),
        ("https://otlp.example/ingest/v1/traces", "https://otlp.example/ingest/v1/traces"),
        ("https://otlp.example?key=k", "https://otlp.example/v1/traces?key=k"),
    ],
)
def test_spans_go_where_collectors_take_them(url, endpoint):
    assert endpoint_of(url) == endpoint


@pytest.mark.parametrize("has_door", [True, False], ids=["ours", "the library's"])
async def test_a_collector_is_told_all_of_a_span(env, has_door):
    with collector() as made:
        export = Export(made.url, "shop", "one")
        assert export._sender._post is not None
        if not has_door:
            export._sender._post = None
        failed = span(3, failed=True, events=[Event("first message", 1.75)])
        linked = span(4, parent=None, kind=Kind.CLIENT, links=[("05" * 16, "06" * 8)])
        export.take([span(), failed, linked], offset=1000.0)
        await export.close()
    plain, failed, linked = made.spans
    assert (plain.trace, plain.id, plain.parent) == ("01" * 16, "0000000000000002", "07" * 8)
    assert (plain.name, plain.kind, plain.failed, plain.state) == (
        "GET /v1",
        "SERVER",
        False,
        "a=1",
    )
    assert (plain.began, plain.ended) == (1_001_500_000_000, 1_002_000_000_000)
    assert plain.said == {"text": "x", "number": 1, "switch": True}
    assert (failed.failed, failed.events) == (True, ["first message"])
    assert (linked.parent, linked.kind, linked.links) == ("", "CLIENT", ["06" * 8])
    assert plain.resource["service.instance.id"] == "one"
    assert (export.taken, export.sent, export.failed, export.dropped) == (3, 3, 0, 0)


@pytest.mark.parametrize(
    ("configured", "environment", "name"),
    [(None, None, "gateway"), (None, "from-env", "from-env"), ("ours", "from-env", "ours")],
)
def test_what_it_is_called(env, configured, environment, name):
    if environment:
        env.setenv("OTEL_SERVICE_NAME", environment)
    found = module.resource_of(configured, "one").attributes
    assert (found["service.name"], found["service.instance.id"]) == (name, "one")


def test_the_environment_may_say_more(env):
    env.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=there,team=shop")
    found = module.resource_of(None, "one").attributes
    assert (found["service.name"], found["team"]) == ("there", "shop")


async def test_a_collector_that_refuses_is_told_of_once_in_a_while(env, caplog):
    caplog.set_level(logging.WARNING)
    clock = Clock()
    with collector() as made:
        made.status = 401
        export = Export(f"{made.url}", "shop", "one", clock)
        for number in range(1, 4):
            export.take([span(number)], 0)
            await until(lambda: export.failed == number)  # noqa: B023  awaited at once
        assert len(lines(caplog)) == 1
        assert "401" in lines(caplog)[0]
        clock.advance(61)
        export.take([span(9)], 0)
        await until(lambda: export.failed == 4)
        assert len(lines(caplog)) == 2
        made.status = 200
        export.take([span(10)], 0)
        await until(lambda: export.sent == 1)
        await export.close()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("short, of http://a/b?secret=1", "short, of http://a/b"),
        ("word " * 60, "word " * 60),
        ("word " * 70, "word " * 59 + "word…"),
        ("x" * 400, "x" * 300 + "…"),
    ],
    ids=["whole", "as much as may be", "cut behind a word", "one word"],
)
def test_what_the_library_says_is_kept_to_a_word(said, kept):
    words = Words()
    words.emit(logging.makeLogRecord({"msg": said}))
    assert words.take() == kept


async def test_what_there_is_no_room_for_is_dropped_and_counted(env, caplog):
    env.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
    env.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    env.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    with collector() as made:
        export = Export(made.url, "shop", "one")
        export.take([span(n) for n in range(1, 1001)], 0)
        await export.close()
    assert export.taken + export.dropped == 1000
    assert export.dropped > 0
    assert len(made.spans) == export.sent == export.taken
    assert sum("is too slow" in each for each in lines(caplog)) == 1


async def test_a_collector_that_is_not_there_holds_nobody_up(env, monkeypatch, caplog):
    monkeypatch.setattr(module, "FLUSH", 0.2)
    export = Export("http://127.0.0.1:9?key=s3cr3t", "shop", "one")
    before = time.monotonic()
    export.take([span(n) for n in range(1, 100)], 0)
    await export.close()
    assert time.monotonic() - before < 5
    await until(lambda: not export._batches._batch_processor._worker_thread.is_alive())
    assert export.failed == export.dropped == export.taken == 99
    words = module.words_of_library().take()
    assert "url: /v1/traces (Caused by" in words
    assert "s3cr3t" not in words
    assert not any("s3cr3t" in each for each in lines(caplog))


def test_what_the_library_says_is_kept_and_not_written(env):
    heard = []
    listener = logging.Handler()
    listener.emit = heard.append
    logging.getLogger().addHandler(listener)
    try:
        words = module.words_of_library()
        words.take()
        logging.getLogger("opentelemetry.some.exporter").error("first")
        logging.getLogger("opentelemetry.some.exporter").error("second")
    finally:
        logging.getLogger().removeHandler(listener)
    assert not heard
    assert (words.take(), words.take()) == ("first", "")


def test_a_queue_that_makes_no_sense_is_as_the_library_has_it(env):
    env.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "many")
    assert module._queue_size() == 2048
