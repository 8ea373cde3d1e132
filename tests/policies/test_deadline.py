"""The deadline gate: the shortest deadline wins, a past one refuses."""

from __future__ import annotations

import pytest

from gateway.call import Call, Code, Deadline, RpcError
from gateway.policies.deadline import DeadlineGate


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


@pytest.mark.parametrize("timeout", [0.0, 5.0])
def test_a_past_deadline_is_refused(timeout):
    call = Call("m", deadline=Deadline(100.0))
    with pytest.raises(RpcError) as caught:
        DeadlineGate(timeout, lambda: 100.0).admit(call)
    assert caught.value.status.code is Code.DEADLINE_EXCEEDED
    assert caught.value.reason == "DEADLINE_EXCEEDED"
