"""What the keys of a rate limit must not say together, each told with its line."""

import pytest


def limits(*lines):
    return "policies:\n- methods: ['*']\n  rate_limits:\n" + "\n".join(
        f"  - {{{x}}}" for x in lines
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            ("name: dup, rate: 1/s", "name: dup, rate: 2/s"),
            "5:12: policies.0.rate_limits.1.name: given twice; first at "
            "policies.0.rate_limits.0.name (gateway.yaml:4:12)",
            id="a-name-twice-in-one-policy",
        ),
        pytest.param(
            ("name: a, rate: unlimited, burst: 4",),
            "4:32: policies.0.rate_limits.0.burst: has no effect with rate: unlimited; "
            "remove one of them",
            id="a-burst-of-what-is-unlimited",
        ),
        pytest.param(
            ("name: a, rate: 1/s, dark: true, on_limit: delay",),
            "4:38: policies.0.rate_limits.0.on_limit: a limit that is dark only counts, and delays "
            "nothing; remove one of them",
            id="a-dark-limit-that-delays",
        ),
        pytest.param(
            ("name: a, rate: 1/s, key: [all, principal]",),
            "4:32: policies.0.rate_limits.0.key.0: all counts all calls together; expected it "
            "alone, or without it",
            id="all-and-a-part-of-them",
        ),
        pytest.param(
            ("name: a, rate: 1/s, key: [principal, principal]",),
            "4:43: policies.0.rate_limits.0.key.1: given twice; first at "
            "policies.0.rate_limits.0.key.0 (gateway.yaml:4:32)",
            id="a-part-of-a-key-twice",
        ),
        pytest.param(
            ('name: a, rate: 1/s, key: ["header:X-Tenant", "header:x-tenant"]',),
            "4:51: policies.0.rate_limits.0.key.1: given twice; first at "
            "policies.0.rate_limits.0.key.0 (gateway.yaml:4:32)",
            id="a-header-twice-whatever-its-case",
        ),
    ],
)
def test_a_contradiction_is_a_line(problems, lines, expected):
    assert problems(limits(*lines)) == [f"gateway.yaml:{expected}"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            limits("name: a, rate: 1/s") + "\n" + limits("name: a, rate: 2/s").partition("\n")[2],
            id="a-name-in-two-policies",
        ),
        pytest.param(limits("name: a, rate: unlimited"), id="unlimited-alone"),
        pytest.param(limits("name: a, rate: 1/s, on_limit: delay, dark: false"), id="not-dark"),
        pytest.param(limits("name: a, rate: 1/s, key: [all]"), id="all-alone"),
        pytest.param(
            limits('name: a, rate: 1/s, key: ["field:a.b", "field:a.B"]'),
            id="fields-have-case",
        ),
    ],
)
def test_what_agrees_is_no_problem(read, text):
    read(text)
