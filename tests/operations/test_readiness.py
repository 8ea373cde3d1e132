"""What /readyz says: whether to send requests, and why not."""

import json

import pytest

from gateway.listener.faults import Refused
from gateway.operations.readiness import Stage, Standing, readyz


def said(standing, **parameters):
    page = readyz(standing, parameters)
    body = json.loads(page.body)
    return page.status, body["status"], body["reasons"]


@pytest.mark.parametrize(
    ("stage", "status"),
    [
        (Stage.STARTING, "starting"),
        (Stage.DRAINING, "draining"),
        (Stage.NO_WORKER, "no worker is ready"),
    ],
)
def test_who_can_t_serve_as_a_whole_is_not_ready(stage, status):
    code, told, reasons = said(Standing(stage, ["A backend is gone."]))
    assert (code, told) == (503, status)
    assert len(reasons) == 2
    assert reasons[1] == "A backend is gone."


def test_who_serves_is_ready():
    assert said(Standing(Stage.SERVING)) == (200, "ready", [])
    assert said(Standing(Stage.SERVING), strict="1") == (200, "ready", [])


def test_what_some_calls_meet_leaves_it_ready_but_for_who_is_strict():
    standing = Standing(Stage.SERVING, ["A backend is gone."])
    assert said(standing) == (200, "degraded", ["A backend is gone."])
    assert said(standing, strict="0")[0] == 200
    assert said(standing, strict="true") == (503, "degraded", ["A backend is gone."])


@pytest.mark.parametrize("parameters", [{"strict": "yes"}, {"strict": ""}, {"verbose": "1"}])
def test_other_parameters_are_refused(parameters):
    with pytest.raises(Refused, match="strict: 1 or 0"):
        readyz(Standing(Stage.SERVING), parameters)
