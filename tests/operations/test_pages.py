"""Operations as pages: what is asked, and the forms of what is answered."""

import json

import pytest

from gateway.listener.admin import Page
from gateway.listener.faults import Refused
from gateway.operations import (
    FAILED,
    NOT_ASKED_RIGHT,
    NOT_NOW,
    NOT_THERE,
    OperationError,
    OperationPage,
    pages,
)
from gateway.state.usage.counts import NUMBERS

USED = {
    "period": "2026-11",
    "by": ["plan"],
    "rows": [{"plan": "=free", **dict.fromkeys(NUMBERS, 2)}],
}


async def page(path, given, content):
    """The page, of an operation that answers so; and what the operation was asked."""
    heard = []

    async def ask(name, arguments):
        heard.append((name, dict(arguments)))
        if isinstance(content, Exception):
            raise content
        return content

    return await pages(ask)[path].answer(given), heard


async def test_an_operation_is_done_with_its_arguments():
    reply, heard = await page("/cache/purge", {"tag": "a/b"}, {"purged": 1})
    assert (reply.status, json.loads(reply.body)) == (200, {"purged": 1})
    assert heard == [("purge", {"tag": "a/b"})]


def test_only_what_changes_nothing_is_read():
    changing = {path for path, each in pages(None).items() if each.changes}
    assert changing == {"/cache/purge", "/drain", "/log", "/undrain"}


@pytest.mark.parametrize(
    ("reason", "status"), [(NOT_ASKED_RIGHT, 400), (NOT_THERE, 404), (NOT_NOW, 503), (FAILED, 500)]
)
async def test_an_operation_that_is_not_done_says_why(reason, status):
    with pytest.raises(Refused) as refused:
        await page("/cache/purge", {}, OperationError(reason, "It is so."))
    fault = refused.value.fault
    assert (fault.status, fault.reason, fault.message) == (status, reason, "It is so.")


@pytest.mark.parametrize(
    ("form", "content_type", "line"),
    [
        ("json", "application/json", b'"rows": [{"plan": "=free", "calls": 2'),
        ("csv", "text/csv; charset=utf-8; header=present", b"2026-11,'=free,2,2,2,2,2,2\r\n"),
        (
            "prometheus",
            "text/plain; version=0.0.4; charset=utf-8",
            b'gateway_usage_calls_total{plan="=free"} 2\n',
        ),
    ],
)
async def test_usage_has_forms(form, content_type, line):
    reply, heard = await page("/usage", {"by": "plan", "format": form}, USED)
    assert (reply.status, reply.content_type) == (200, content_type)
    assert line in reply.body
    assert heard == [("usage", {"by": "plan"})]


@pytest.mark.parametrize(
    ("form", "told"), [("json", b'"a\\ud800"'), ("csv", b",a?,"), ("prometheus", b'"a?"')]
)
async def test_a_name_that_no_text_can_hold_does_not_hide_the_others(form, told):
    used = {**USED, "rows": [{**USED["rows"][0], "plan": "a\ud800"}]}
    reply, _ = await page("/usage", {"format": form}, used)
    assert told in reply.body


async def test_usage_is_json_unless_it_is_asked_for_otherwise():
    reply, _ = await page("/usage", {"by": "plan"}, USED)
    assert json.loads(reply.body) == USED


async def test_a_form_that_there_is_not_lists_those_there_are():
    with pytest.raises(Refused) as refused:
        await page("/usage", {"format": "xml"}, USED)
    fault = refused.value.fault
    assert (fault.status, fault.message) == (400, "format: expected one of json, csv, prometheus.")


async def test_a_segment_of_the_path_is_an_argument():
    heard = []

    async def ask(name, arguments):
        heard.append((name, dict(arguments)))
        return {"told": "so"}

    asked = OperationPage("why", "what became of a call").asked_of(ask)
    assert json.loads((await asked.answer({"id": "a1"})).body) == {"told": "so"}
    assert heard == [("why", {"id": "a1"})]


async def test_a_page_may_be_made_of_many_answers():
    async def ask(_name, arguments):
        return {"next": int(arguments["after"]) + 1}

    async def made(ask, _parameters):
        async def lines():
            after = 0
            while after < 3:
                after = (await ask("tap", {"after": str(after)}))["next"]
                yield b"%d\n" % after

        return Page(200, "application/x-ndjson", lines())

    asked = OperationPage("tap", "calls as they end", made=made).asked_of(ask)
    page = await asked.answer({})
    assert [part async for part in page.body] == [b"1\n", b"2\n", b"3\n"]
