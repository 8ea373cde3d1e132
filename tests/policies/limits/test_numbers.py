"""What is told of a call's limits to operators: numbers, and by what they count, never whose."""

from gateway.policies.limits.ask import Algorithm, Numbers, Share, Verdict
from gateway.policies.limits.limit import Limit
from gateway.policies.limits.numbers import numbers
from gateway.policies.limits.quotas import Calendar, Quota

LIMIT = Limit(
    name="user",
    rate="5/s",
    numbers=Numbers(Algorithm.TOKEN_BUCKET, 5, 1.0, 5),
    prefix="user:",
    key=lambda _: "secret",
    by=("header:x-tenant", "address"),
)
DARK = Limit(
    name="tried",
    rate="1/s",
    numbers=Numbers(Algorithm.TOKEN_BUCKET, 1, 1.0, 1),
    prefix="tried:",
    key=lambda _: "secret",
    dark=True,
)


def test_each_limit_is_told_with_its_share():
    verdict = Verdict(False, (Share(True, 4, 0.25), Share(False, 0, 9.0, 8.0), None))
    user, quota, dark = numbers([LIMIT, Quota("calls", 3, "d", Calendar()), DARK], verdict)
    assert user == {
        "limit": "user",
        "kind": "rate limit",
        "rate": "5/s",
        "by": ["header:x-tenant", "address"],
        "allowed": True,
        "remaining": 4,
        "resets": 0.25,
        "wait": 0.0,
        "retry_after": 0.0,
    }
    assert (quota["limit"], quota["kind"], quota["by"]) == ("calls/d", "quota", ["principal"])
    assert (quota["allowed"], quota["retry_after"]) == (False, 8.0)
    assert (dark["dark"], "remaining" in dark) == (True, False)
