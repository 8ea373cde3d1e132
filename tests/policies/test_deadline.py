"""The deadline gate: the shortest deadline wins, a past one refuses."""

from __future__ import annotations

import pytest

from gateway.call import Call, Code, Deadline, RpcError
from gateway.policies.deadline import DeadlineGate
from tests.telemetry.records import Maker


@pytest.mark.parametrize(
    ("timeout", "client", "expected"),
    [
        pytest.param(5.0, None, 105.0, id="policy-alone"),
        pytest.param(5.0, 103.0, 103.0, id="client-shorter"),
        pytest.param(5.0, 109.0, 105.0, id="policy-shorter"),
        pytest.param(0.0, 109.0, 109.0, id="no-policy-keeps-the-clients"),
        pytest.param(0.0, None, None, id="neither"),
    ],
)
def test_shortest_wins(timeout, client, expected):
    call = Call("m", deadline=None if client is None else Deadline(client))
    DeadlineGate(timeout, lambda: 100.0).admit(call)
    assert (call.deadline and call.deadline.at) == expected


@pytest.mark.parametrize(
    ("timeout", "client", "asked", "until"),
    [
        pytest.param(5.0, None, 0.0, 106.5, id="policy-alone"),
        pytest.param(5.0, 103.0, 104.5, 104.5, id="client-shorter"),
        pytest.param(5.0, 109.0, 110.5, 106.5, id="policy-shorter"),
    ],
)
def test_what_is_noted_is_exact_though_the_loop_s_clock_is_behind(timeout, client, asked, until):
    record = Maker().request().call("m")
    record.began = 101.5
    call = Call("m", deadline=None if client is None else Deadline(client), record=record)
    DeadlineGate(timeout, lambda: 100.0).admit(call)
    assert (record.asked, record.until) == (asked, until)


@pytest.mark.parametrize("timeout", [0.0, 5.0])
def test_a_past_deadline_is_refused(timeout):
    call = Call("m", deadline=Deadline(100.0))
    with pytest.raises(RpcError) as caught:
        DeadlineGate(timeout, lambda: 100.0).admit(call)
    assert caught.value.status.code is Code.DEADLINE_EXCEEDED
    assert caught.value.reason == "DEADLINE_EXCEEDED"
