"""`gateway call`: JSON in and out, one call through the gateway's own upstream stack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from services_mock.testing import Backend
from tests.cli.conftest import write_config
from tests.cli.library import LIBRARY, serving
from tests.cli.processes import invoke, run


@pytest.fixture
def here(tmp_path: Path, backend: Backend) -> Path:
    write_config(tmp_path, backend.addresses[0])
    return tmp_path


def test_unary(here: Path) -> None:
    done = run("call", "GetProduct", "--data", '{"id": "p1"}', cwd=here)
    assert done.code == 0
    assert json.loads(done.out)["id"] == "p1"


def test_no_data_is_the_empty_request(here: Path) -> None:
    assert json.loads(run("call", "ListProducts", cwd=here).out)["products"]


def test_a_stream_of_replies_is_a_line_each(here: Path) -> None:
    data = '{"id": "o120", "interval": "0.001s"}'
    done = run("call", "OrderService/WatchOrder", "--data", data, cwd=here)
    assert [json.loads(line)["orderId"] for line in done.out.splitlines()] == ["o120"] * 4


def test_requests_of_a_stream_are_given_one_by_one(here: Path) -> None:
    one = '{"product": {"title": "One", "price": {"currencyCode": "EUR", "units": "1"}}}'
    done = run("call", "ImportProducts", "--data", one, "--data", one, cwd=here)
    assert json.loads(done.out) == {"createdCount": 2}


def test_requests_come_from_standard_input_a_line_each(here: Path) -> None:
    one = '{"product": {"title": "One", "price": {"currencyCode": "EUR", "units": "1"}}}'
    done = run("call", "ImportProducts", "--data", "-", cwd=here, stdin=f"{one}\n\n{one}")
    assert json.loads(done.out) == {"createdCount": 2}


def test_a_line_that_is_no_request_ends_the_call_and_the_process(here: Path) -> None:
    done = run("call", "ImportProducts", "--data", "-", cwd=here, stdin="{\n{}\n")
    assert done.code == Exit.FAILED
    assert "A line of standard input is no request" in done.err


def test_an_error_is_its_status_and_details(here: Path) -> None:
    done = run("call", "GetProduct", "--data", '{"id": "nobody"}', cwd=here)
    assert (done.code, done.out) == (Exit.FAILED, "")
    assert done.errors[0].startswith("NOT_FOUND: ")
    assert json.loads(done.errors[1])["resourceName"] == "nobody"


def test_headers_are_metadata(here: Path) -> None:
    done = run("call", "ListProducts", "--header", "x-fault-code: RESOURCE_EXHAUSTED", cwd=here)
    assert done.err.startswith("RESOURCE_EXHAUSTED: ")


def test_the_timeout_shortens_the_deadline(here: Path) -> None:
    done = run("call", "ListProducts", "--header", "x-fault-hang: 1", "--timeout", "50ms", cwd=here)
    assert done.code == Exit.FAILED
    assert done.err.startswith("DEADLINE_EXCEEDED: ")


def test_a_backend_that_is_not_there_and_why(shop: Path) -> None:
    done = run("call", "ListProducts", cwd=shop)
    assert done.code == Exit.FAILED
    assert "\nUNAVAILABLE: The backend cannot be reached.\n" in done.err
    why = next(line for line in done.errors if "UPSTREAM_UNAVAILABLE: " in line)
    assert why.startswith("warning gateway.upstream: backend 127.0.0.1:1: ")
    assert "Connection refused" in why


def test_a_backend_that_speaks_tls_is_said_to_have_hung_up(tmp_path: Path) -> None:
    with serving(LIBRARY, tls=True) as (address, _):
        write_config(tmp_path, address)
        done = run("call", "ListProducts", cwd=tmp_path)
    assert f"warning gateway.upstream: backend {address}: UPSTREAM_" in done.err


def test_what_is_logged_can_be_chosen(shop: Path) -> None:
    done = run("call", "ListProducts", "--log-level", "error", cwd=shop)
    assert done.errors[0].startswith("UNAVAILABLE: ")


def test_data_and_headers_have_curls_short_options(here: Path) -> None:
    found = run("call", "GetProduct", "-d", '{"id": "p1"}', "-H", "x-fault-delay: 1ms", cwd=here)
    assert json.loads(found.out)["id"] == "p1"
    ordered = run("call", "ListProducts", "-H", "x-fault-code: ABORTED", cwd=here)
    assert ordered.err.startswith("ABORTED: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["GetProduct", "--data", '{"idd": 1}'], "idd", id="unknown-field"),
        pytest.param(
            ["CreateProduct", "-d", '{"product": {"titel": "T"}}'],
            "did you mean title?\n",
            id="a-question-ends-with-its-mark",
        ),
        pytest.param(
            ["CreateProduct", "-d", '{"product": {"titel": "T", "nonsense": 1}}'],
            "did you mean title? (and 1 more)\n",
            id="a-question-of-several",
        ),
        pytest.param(["GetProduct", "--data", "{"], "--data is no", id="not-JSON"),
        pytest.param(["GetProduct", "--data", "{}", "--data", "{}"], "once", id="two-for-unary"),
        pytest.param(["GetProdct"], "CatalogService/GetProduct", id="unknown-method"),
    ],
)
def test_mistakes_are_told_before_anything_is_called(
    arguments: list[str], says: str, shop: Path
) -> None:
    done = run("call", *arguments, cwd=shop)
    assert (done.code, done.out) == (Exit.MISTAKE, "")
    assert says in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["GetProduct", "--header", "none"], "key: value", id="header-without-colon"),
        pytest.param(["GetProduct", "--header", "te: x"], "te", id="header-that-never-passes"),
        pytest.param(["GetProduct", "--header", "a-bin: ?"], "base64", id="header-not-base64"),
        pytest.param(["GetProduct", "--timeout", "1"], "duration", id="timeout-without-unit"),
    ],
)
def test_options_are_read_before_anything_is_loaded(
    arguments: list[str], says: str, shop: Path
) -> None:
    done = invoke("call", *arguments, cwd=shop)
    assert (done.code, done.out) == (Exit.MISTAKE, "")
    assert says in done.err


def test_no_policy_asks_an_operator_for_a_token(here: Path) -> None:
    path = here / "gateway.yaml"
    identity = (
        "auth: {providers: {partners: {api_key: {keys: {file: keys.yaml}}}}}\n"
        "policies: [{methods: ['*'], authorize: {scopes: [orders.write]}, timeout: 1s}]\n"
    )
    path.write_text(path.read_text() + identity)
    (here / "keys.yaml").write_text("keys: {}\n")
    done = run("call", "GetProduct", "--data", '{"id": "p1"}', cwd=here)
    assert (done.code, json.loads(done.out)["id"]) == (0, "p1")


def test_the_deadline_of_a_policy_holds_for_operators_too(here: Path) -> None:
    path = here / "gateway.yaml"
    path.write_text(path.read_text() + "policies: [{methods: ['*'], timeout: 50ms}]\n")
    done = run("call", "ListProducts", "--header", "x-fault-hang: 1", cwd=here)
    assert done.err.startswith("DEADLINE_EXCEEDED: ")
