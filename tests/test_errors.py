"""The table of reasons, and the page that lists it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.rpc import error_details_pb2

from gateway.call import Code, RpcError
from gateway.errors import REASONS, Violation, error
from gateway.fronts.http_errors import HTTP_STATUS, http_status
from gateway.listener import faults

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "errors.md").read_text()
ROWS = re.findall(r"^\| `([A-Z_]+)` \| (\d+) \| ([A-Z_]+) \| ", PAGE, re.MULTILINE)


def test_the_page_lists_every_reason_as_it_is():
    table = [
        (reason, str(http_status(error(reason, ""))), meaning.code.name)
        for reason, meaning in REASONS.items()
    ]
    assert table == ROWS


def test_the_page_has_the_status_table():
    cells = re.findall(r"\| ([A-Z_]+) \| (\d{3}) (?=\|)", PAGE.partition("## Reasons")[0])
    assert {Code[name]: int(status) for name, status in cells} == dict(HTTP_STATUS)


def test_every_reason_is_used():
    code = "".join(
        path.read_text()
        for path in (ROOT / "gateway").rglob("*.py")
        if path != ROOT / "gateway" / "errors.py"
    )
    assert [reason for reason in REASONS if f'"{reason}"' not in code] == []


@pytest.mark.parametrize(
    "fault", [each for each in vars(faults).values() if isinstance(each, faults.Fault)]
)
def test_the_listener_answers_as_the_table_says(fault):
    if fault != faults.EXPECTATION:  # 417 has no reason of its own
        assert fault.status == http_status(error(fault.reason, ""))


def test_an_error_carries_what_it_was_made_of():
    made = error(
        "INVALID_QUERY",
        "Text.",
        violations=[Violation("a.b", "is wrong")],
        retry_after=1.5,
        metadata={"limit": "3"},
        headers={"X-A": "1"},
    )
    assert isinstance(made, RpcError)
    kinds = [each.type_url.rpartition(".")[2] for each in made.status.details]
    assert kinds == ["ErrorInfo", "BadRequest", "RetryInfo"]
    info = error_details_pb2.ErrorInfo.FromString(made.status.details[0].value)
    assert (info.reason, info.domain, dict(info.metadata)) == (
        "INVALID_QUERY",
        "gateway",
        {"limit": "3"},
    )
    retry = error_details_pb2.RetryInfo.FromString(made.status.details[2].value)
    assert retry.retry_delay.ToMilliseconds() == 1500
    assert made.headers == {"X-A": "1"}
