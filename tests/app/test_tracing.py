"""What a config says of traces: what is made of it, over reloads, and where the extra is missing."""

import sys

import pytest

from gateway.app import tracing as module
from gateway.app.build_error import BuildError
from gateway.app.tracing import Tracing, lacking
from gateway.config import load
from tests.telemetry.tracing.collector import collector


@pytest.fixture
def loaded(tmp_path):
    def made(text):
        path = tmp_path / "gateway.yaml"
        path.write_text(f"telemetry: {{{text}}}\n")
        return load(path, environ={})

    return made


@pytest.fixture
async def tracing():
    made = Tracing()
    yield made
    await made.close()


async def test_nothing_is_traced_where_nobody_asks(tracing, loaded):
    await tracing.open(loaded(""))
    assert (tracing.beginning, tracing.keeping, tracing.export) == (None, None, None)


async def test_a_reload_goes_on_with_the_same_collector_and_ends_another(tracing, loaded):
    with collector() as one, collector() as other:
        await tracing.open(loaded(f"tracing: {{otlp: '{one.url}'}}"))
        first, beginning = tracing.export, tracing.beginning
        await tracing.open(loaded(f"tracing: {{otlp: '{one.url}', sample: 1}}"))
        assert tracing.export is first
        assert tracing.beginning is not beginning
        await tracing.open(loaded(f"tracing: {{otlp: '{other.url}'}}"))
        assert tracing.export is not first
        assert not first._batches._batch_processor._worker_thread.is_alive()
        second = tracing.export
        await tracing.open(loaded(""))
        assert tracing.export is None
        assert not second._batches._batch_processor._worker_thread.is_alive()


async def test_what_the_environment_says_may_be_wrong(tracing, loaded, monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0")
    with pytest.raises(BuildError, match=r"telemetry\.tracing: .*max_export_batch_size"):
        await tracing.open(loaded("tracing: {otlp: 'http://127.0.0.1:9'}"))
    assert tracing.export is None


async def test_without_the_extra_it_is_said_how_to_get_it(tracing, loaded, monkeypatch):
    for name in list(sys.modules):
        if name.startswith("opentelemetry"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(module, "LIBRARIES", ("opentelemetry.nowhere.at_all",))
    asked = loaded("tracing: {otlp: 'http://127.0.0.1:9'}")
    (problem,) = lacking(asked)
    assert "telemetry.tracing: needs the extra tracing: pip install" in problem
    with pytest.raises(BuildError):
        await tracing.open(asked)
    assert lacking(loaded("")) == []


async def test_what_is_kept_goes_to_the_next_before_the_last_is_closed(tracing, loaded):
    def seen():
        worker = exports[-1]._batches._batch_processor._worker_thread
        told.append((tracing.export is exports[-1], worker.is_alive()))

    with collector() as one, collector() as other:
        told, exports = [], []
        await tracing.open(loaded(f"tracing: {{otlp: '{one.url}'}}"))
        exports.append(tracing.export)
        await tracing.open(loaded(f"tracing: {{otlp: '{other.url}'}}"), seen)
        exports.append(tracing.export)
        await tracing.open(loaded(""), seen)
    assert told == [(False, True), (False, True)]
