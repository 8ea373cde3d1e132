"""`gateway serve --reflect`: from an empty folder to three calls that work, in any domain."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from services_mock.testing import Backend
from tests.cli.library import GREETER, LIBRARY, NOTEBOOK, serving
from tests.cli.processes import ANY_PORT, LISTENING, curl, gateway, printed_calls, run


def test_the_three_calls_for_the_shop_work_as_printed(tmp_path: Path, backend: Backend) -> None:
    with gateway("serve", "--reflect", backend.addresses[0], *ANY_PORT, cwd=tmp_path) as serving:
        url = serving.read_until(LISTENING)
        calls = printed_calls(serving)
        assert all(url in call for call in calls)
        get, post, stream = calls
        assert " -d " not in get
        assert "-H 'content-type: application/json' -d '{" in post
        assert stream.startswith("curl -N ")
        for call in calls:
            status, body = curl(call)
            assert status == 0, (call, body)
            assert json.loads(body.splitlines()[0])
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
    assert not list(tmp_path.iterdir())


def test_the_three_calls_for_a_library_work_as_printed(tmp_path: Path) -> None:
    with (
        serving(LIBRARY) as (address, implementation),
        gateway("serve", "--reflect", address, *ANY_PORT, cwd=tmp_path) as front,
    ):
        url = front.read_until(LISTENING)
        calls = printed_calls(front)
        assert calls[0] == f"curl {url}/v1/shelves/history/books/rome"
        assert calls[1].startswith(f"curl {url}/v1/shelves/history/books -H ")
        assert calls[2] == f"curl -N {url}/v1/loans:export"
        # It has tried what changes nothing, and nothing else.
        assert "CreateBook" not in implementation.called
        assert "DeleteBook" not in implementation.called
        for call in calls:
            status, body = curl(call)
            assert status == 0, (call, body)
        assert implementation.called[-3:] == ["GetBook", "CreateBook", "ExportLoans"]


def test_the_calls_for_a_backend_without_http_rules_work_as_printed(tmp_path: Path) -> None:
    with (
        serving(GREETER) as (address, implementation),
        gateway("serve", "--reflect", address, *ANY_PORT, cwd=tmp_path) as front,
    ):
        url = front.read_until(LISTENING)
        calls = printed_calls(front)
        # Nothing says that a greeting changes nothing.
        assert implementation.called == []
        bodies = [curl(call) for call in calls]
        assert [status for status, _ in bodies] == [0, 0, 0], bodies
        assert calls[0].startswith(f"curl {url}/library.v1.Greeter/SayHello -H")
        assert "Hello Example name" in bodies[0][1]
        assert implementation.called == ["SayHello", "SayHelloOften", "Collect"]


def test_of_what_only_names_tell_lists_are_asked_with_an_empty_request(tmp_path: Path) -> None:
    with (
        serving(NOTEBOOK) as (address, implementation),
        gateway("serve", "--reflect", address, *ANY_PORT, cwd=tmp_path) as front,
    ):
        url = front.read_until(LISTENING)
        get, create, watch = printed_calls(front)
        assert implementation.called == ["ListNotes"]
        assert get.startswith(f"curl {url}/library.v1.Notebook/GetNote -H")
        assert '{"id": "n7"}' in get
        assert '"text": "Example text"' in create
        bodies = [curl(call) for call in (get, create, watch)]
        assert [status for status, _ in bodies] == [0, 0, 0], bodies


@pytest.mark.parametrize("service", [LIBRARY, NOTEBOOK])
def test_nothing_is_called_where_that_is_not_wanted(service: str, tmp_path: Path) -> None:
    with (
        serving(service) as (address, implementation),
        gateway("serve", "--reflect", address, "--no-try", *ANY_PORT, cwd=tmp_path) as front,
    ):
        front.read_until("Try, with values of your own:")
        assert len(printed_calls(front)) == 3
        front.signal(signal.SIGTERM)
        assert front.wait() == 0
        assert implementation.called == []


def test_no_try_is_for_reflect(shop: Path) -> None:
    done = run("serve", "--no-try", cwd=shop)
    assert done.code == Exit.MISTAKE
    assert "--reflect" in done.err


@pytest.mark.parametrize("command", ["serve", "init"])
def test_a_backend_with_tls_is_hinted_at(command: str, tmp_path: Path) -> None:
    with serving(LIBRARY, tls=True) as (address, _):
        done = run(command, "--reflect", address, cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert address in done.errors[0]
    assert "upstreams.NAME.tls and schema.reflection" in done.errors[-1]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        pytest.param("nonsense", "--reflect: upstreams.backend.endpoints.0: ", id="no-address"),
        pytest.param("127.0.0.1:1", "can't be reached", id="nobody-there"),
    ],
)
def test_an_address_without_a_backend(address: str, says: str, tmp_path: Path) -> None:
    done = run("serve", "--reflect", address, cwd=tmp_path)
    assert (done.code, done.out) == (Exit.MISTAKE, "")
    assert says in done.err
    assert "TLS" not in done.err


def test_a_folder_of_protos_does_not_get_in_the_way(tmp_path: Path, backend: Backend) -> None:
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "broken.proto").write_text("this is no proto")
    with gateway("serve", "--reflect", backend.addresses[0], *ANY_PORT, cwd=tmp_path) as serving:
        serving.read_until(LISTENING)


def test_a_config_and_reflect_are_two_things(shop: Path) -> None:
    done = run("serve", "--reflect", "127.0.0.1:1", "--config", "gateway.yaml", cwd=shop)
    assert done.code == Exit.MISTAKE
