"""What shapes calls in `policies`: what its parts must not say together, and their own values."""

import pytest

UPSTREAMS = (
    "upstreams: {a: {services: ['*'], endpoints: [h:1]}, b: {services: [x], endpoints: [h:2]}}\n"
)


def policy(text):
    return f"{UPSTREAMS}policies: [{{methods: ['*'], {text}}}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "split: [{upstream: c, percent: 5}, {upstream: b, percent: 5}]",
            "2:48: policies.0.split.0.upstream: no upstream has this name; expected one of a, b",
            id="a-split-to-nobody",
        ),
        pytest.param(
            "split: [{upstream: b, percent: 60}, {upstream: a, percent: 41}]",
            "2:88: policies.0.split.1.percent: the shares are 101 percent together; expected at "
            "most 100",
            id="shares-of-more-than-all",
        ),
        pytest.param(
            "split: [{upstream: b, percent: 5}, {upstream: b, percent: 5}]",
            "2:75: policies.0.split.1.upstream: has a share already; expected one of each upstream",
            id="two-shares-of-one",
        ),
        pytest.param(
            "split: [{upstream: b, percent: 5, hash_on: user}]",
            '2:72: policies.0.split.0.hash_on: found "user", expected principal, peer, '
            "header:NAME or cookie:NAME",
            id="hashed-on-nothing-known",
        ),
        pytest.param(
            "route: [{upstream: b}, {upstream: b, header: {x-a: '1'}}]",
            "2:52: policies.0.route.1: no call comes so far: the one before takes all",
            id="behind-a-rule-for-all",
        ),
        pytest.param(
            "route: [{upstream: b, header: {}}], split: [{upstream: b, percent: 5}]",
            "2:65: policies.0.split: no call comes so far: the last route takes all",
            id="shares-behind-a-rule-for-all",
        ),
        pytest.param(
            "route: [{upstream: b, header: {'x a': '1'}}]",
            '2:60: policies.0.route.0.header."x a": found "x a", expected a header\'s name',
            id="no-header",
        ),
        pytest.param(
            "mirror: {upstream: c}, route: [{upstream: b}]",
            "2:48: policies.0.mirror.upstream: no upstream has this name; expected one of a, b",
            id="a-mirror-nowhere",
        ),
        pytest.param(
            "route: [{upstream: b}], faults: {percent: 5}",
            "2:53: policies.0.faults: do nothing; expected delay, code, or both",
            id="faults-that-do-nothing",
        ),
        pytest.param(
            "route: [{upstream: b}], faults: {code: OK, percent: 5}",
            '2:68: policies.0.faults.code: found "OK", expected a gRPC status code such as '
            "UNAVAILABLE",
            id="no-failure",
        ),
        pytest.param(
            "route: [{upstream: b}], deprecated: {sunset: 2027-02-30}",
            '2:74: policies.0.deprecated.sunset: found "2027-02-30", expected a date such as '
            "2027-06-30",
            id="no-day",
        ),
        pytest.param(
            "route: [{upstream: b}], deprecated: {since: 2027-07-01, sunset: 2027-06-30}",
            "2:93: policies.0.deprecated.sunset: comes before since, 2027-07-01; expected that day "
            "or a later one",
            id="rfc-9745-4-gone-before-it-declines",
        ),
        pytest.param(
            "route: [{upstream: b}], deprecated: {link: 'https://a/b>; rel=\"x\"'}",
            '2:72: policies.0.deprecated.link: found "https://a/b>; rel=\\"x\\"", expected a link '
            "such as https://shop.example/v2, or /v2",
            id="a-link-that-would-be-another-header",
        ),
    ],
)
def test_what_is_wrong_is_one_line(problems, text, expected):
    assert problems(policy(text)) == [f"gateway.yaml:{expected}"]


@pytest.mark.parametrize(
    "text",
    ["split: [{upstream: c, percent: 5}]", "route: [{upstream: c}]", "mirror: {upstream: c}"],
)
def test_an_upstream_that_calls_are_sent_to_needs_no_services(read, problems, text):
    config = policy(text).replace("}}\n", "}, c: {endpoints: [h:3]}}\n")
    assert read(config)
    assert problems(config.replace("upstream: c", "upstream: b")) == [
        "gateway.yaml:1:91: upstreams.c.services: a required key is missing"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "route: [{upstream: b, when: 'true'}, {upstream: a}]",
        "route: [{upstream: b, query: {a: ''}}], split: [{upstream: b, percent: 100}]",
        "split: [{upstream: b, percent: 50, hash_on: 'cookie:sid'}, {upstream: a, percent: 50}]",
        "mirror: {upstream: b}, faults: {}",
        "mirror: {upstream: b}, faults: {delay: 1s, percent: 0}",
        "mirror: {upstream: b}, deprecated: {link: /v2}",
        "split: [{upstream: b, percent: 0}]",
    ],
)
def test_what_is_right(read, text):
    read(policy(text))


def test_shares_of_all_are_not_more_for_being_floats(read):
    percents = [46.7, 5.2, 4.9, 15.3, 27.0, 0.9]
    assert sum(percents) > 100
    names = [f"c{number}" for number in range(len(percents))]
    others = "".join(f", {name}: {{endpoints: [h:3]}}" for name in names)
    split = ", ".join(
        f"{{upstream: {name}, percent: {percent}}}"
        for name, percent in zip(names, percents, strict=True)
    )
    read(policy(f"split: [{split}]").replace("}}\n", f"}}{others}}}\n"))


def test_values_are_as_models_have_them(read):
    text = (
        "route: [{upstream: b, header: {X-Canary: always}}], deprecated: {since: 2026-06-30}, "
        "faults: {code: ABORTED}"
    )
    (policy_,) = read(policy(text)).config.policies
    assert policy_.route[0].header == {"x-canary": "always"}
    assert policy_.deprecated.since == 1782777600.0
    assert (policy_.faults.code, policy_.faults.percent) == ("ABORTED", 0.0)
