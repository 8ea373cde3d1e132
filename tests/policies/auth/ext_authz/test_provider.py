"""Asking the service about each call."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.call import Call, Code, Deadline, Metadata, Reply, RpcError, Status
from gateway.fronts.cross_site import is_own_doing
from gateway.http.certificate import Certificate
from gateway.policies.auth.ext_authz import authorization_pb2 as pb
from gateway.policies.auth.ext_authz.provider import CHECK, ExtAuthz
from tests.policies.auth.callers import head

OK = pb.CheckResponse(ok_response={}).SerializeToString()


class Service:
    """What stands for the upstream: answers, fails, or waits."""

    def __init__(self, answer=OK):
        self.answer = answer
        self.calls = []
        self.cancelled = 0

    def start(self, call, done):
        self.calls.append(call)
        if self.answer is not None:
            done(self.answer if isinstance(self.answer, RpcError) else Reply(self.answer))
        return self._cancel

    def _cancel(self):
        self.cancelled += 1


def provider(service, timeout=0.5):
    return ExtAuthz(
        "external",
        service.start,
        timeout=timeout,
        may_change=lambda name: not name.startswith("grpc-"),
        now=lambda: 1000.0,
        is_own_doing=is_own_doing,
    )


def called(method="a.B/C", **given):
    return Call(method, head=head(("x-token", "t")), **given)


async def identified(asked, call):
    return await asked.identify(call)


async def test_who_is_let_in_is_asked_about_each_time():
    service = Service()
    asked, call = provider(service), called()
    for _ in range(2):
        assert asked.known(call) is None
        assert (await identified(asked, call)).provider == "external"
    assert [check.method for check in service.calls] == [CHECK, CHECK]
    told = pb.CheckRequest.FromString(service.calls[0].request).attributes
    assert told.request.http.headers["x-token"] == "t"


async def test_the_call_and_its_reply_are_changed_as_the_answer_says():
    answer = pb.CheckResponse(
        ok_response={
            "headers": [{"header": {"key": "x-user", "value": "ada"}}],
            "headers_to_remove": ["authorization"],
            "response_headers_to_add": [{"header": {"key": "x-seen", "value": "yes"}}],
        }
    )
    given = Metadata([("authorization", "Bearer t"), ("x-user", "mallory"), ("x-kept", "1")])
    call = called(metadata=given, reply_headers={"x-before": "1"})
    await identified(provider(Service(answer.SerializeToString())), call)
    assert list(call.metadata) == [("x-kept", "1"), ("x-user", "ada")]
    assert call.reply_headers == {"x-before": "1", "x-seen": "yes"}


async def test_a_refusal_is_the_calls_and_changes_nothing():
    answer = pb.CheckResponse(status={"code": 7}, denied_response={"status": {"code": 404}})
    call = called()
    with pytest.raises(RpcError) as failure:
        await identified(provider(Service(answer.SerializeToString())), call)
    assert failure.value.http_status == 404
    assert not len(call.metadata)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(RpcError(Status(Code.UNAVAILABLE, "10.0.0.7:1 is down")), id="down"),
        pytest.param(RpcError(Status(Code.DEADLINE_EXCEEDED)), id="slow"),
        pytest.param(RpcError(Status(Code.UNIMPLEMENTED)), id="another service"),
        pytest.param(RpcError(Status(Code.PERMISSION_DENIED)), id="the call of it is refused"),
        pytest.param(b"\xff", id="no answer"),
        pytest.param(b"", id="an empty answer"),
    ],
)
async def test_who_can_not_be_asked_about_is_not_let_in(answer, caplog):
    with pytest.raises(RpcError) as failure:
        await identified(provider(Service(answer)), called())
    assert failure.value.reason == "AUTHENTICATION_UNAVAILABLE"
    assert "10.0.0.7" not in failure.value.status.message + caplog.text


async def test_an_outage_is_told_once_and_its_end_too(caplog):
    caplog.set_level(logging.INFO)
    service = Service(RpcError(Status(Code.UNAVAILABLE)))
    asked = provider(service)
    for _ in range(3):
        with pytest.raises(RpcError):
            await identified(asked, called())
    service.answer = OK
    for _ in range(2):
        await identified(asked, called())
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.ERROR, logging.INFO]
    assert caplog.records[-1].message == "external: the service answers again"


async def test_it_has_its_time_and_no_more_than_the_call():
    service, now = Service(), asyncio.get_running_loop().time()
    await identified(provider(service, timeout=5.0), called())
    await identified(provider(service, timeout=5.0), called(deadline=Deadline(now + 1.0)))
    first, second = (check.deadline.at for check in service.calls)
    assert now + 5.0 <= first < now + 6.0
    assert second == now + 1.0


async def test_a_call_in_too_much_of_a_hurry_is_no_outage(caplog):
    service = Service(RpcError(Status(Code.DEADLINE_EXCEEDED)))
    soon = Deadline(asyncio.get_running_loop().time() + 0.0002)
    with pytest.raises(RpcError) as failure:
        await identified(provider(service), called(deadline=soon))
    assert failure.value.reason == "DEADLINE_EXCEEDED"
    assert not caplog.records


async def test_a_call_that_is_cancelled_cancels_its_check():
    service = Service(None)
    waiting = asyncio.ensure_future(identified(provider(service), called()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert service.cancelled == 1


async def test_nothing_is_asked_before_somebody_waits():
    service = Service()
    provider(service).identify(called())  # and no warning: they are errors
    assert not service.calls


EVIL = ("origin", "https://evil.example")


@pytest.mark.parametrize(
    ("fields", "certificate"),
    [
        pytest.param([("cookie", "session=1")], None, id="a cookie"),
        pytest.param([("authorization", "basic YTpi")], None, id="a password"),
        pytest.param([("authorization", "Negotiate YTpi")], None, id="a ticket"),
        pytest.param([], Certificate("CN=a"), id="a certificate"),
    ],
)
async def test_of_what_browsers_attach_it_is_not_asked_for_another_sites_page(fields, certificate):
    service = Service()
    asked = provider(service)
    with pytest.raises(RpcError) as failure:
        asked.identify(Call("a.B/C", head=head(*fields, EVIL, certificate=certificate)))
    assert failure.value.reason == "CROSS_SITE_REQUEST"
    assert not service.calls
    await identified(asked, Call("a.B/C", head=head(*fields, certificate=certificate)))
    assert service.calls


async def test_what_a_page_sends_itself_is_asked_about():
    service = Service()
    shown = head(("authorization", "Bearer t"), ("x-api-key", "k"), EVIL)
    await identified(provider(service), Call("a.B/C", head=shown))
    assert service.calls


async def test_a_call_of_the_gateways_own_is_nobodys():
    assert provider(Service()).identify(Call("a.B/C")) is None


async def test_it_looks_at_every_request():
    assert provider(Service()).carried(head())
