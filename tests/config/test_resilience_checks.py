"""What upstreams must not say of failures, each told with its line."""

import pytest

from gateway.config import ConfigError, load


def written(folder, *lines):
    file = folder / "gateway.yaml"
    upstream = ("upstreams:", "  a:", "    services: ['*']", "    endpoints: ['h:1']")
    file.write_text("\n".join([*upstream, *(f"    {line}" for line in lines)]))
    return file


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            ["timeout: 1s", "retries: {per_try_timeout: 1s}"],
            "6:15: upstreams.a.retries.per_try_timeout: has no effect: the whole call has 1s "
            "(timeout); expected less",
            id="an-attempt-as-long-as-its-call",
        ),
        pytest.param(
            ["retries: {per_try_timeout: 6s}"],
            "5:15: upstreams.a.retries.per_try_timeout: has no effect: the whole call has 5s "
            "(timeout); expected less",
            id="an-attempt-longer-than-a-call-by-default",
        ),
        pytest.param(
            ["timeout: 1s", "hedging: {delay: 1s}"],
            "6:15: upstreams.a.hedging.delay: has no effect: a call that slow is over, it has 1s "
            "(timeout); expected a shorter delay",
            id="a-hedge-that-comes-too-late",
        ),
        pytest.param(
            ["timeout: 40ms", "hedging: {}"],
            "6:5: upstreams.a.hedging: has no effect: a call that slow is over, it has 40ms "
            "(timeout); expected a shorter delay",
            id="a-hedge-that-by-default-comes-too-late",
        ),
        pytest.param(
            ["health_check: {interval: 1s, timeout: 2s}"],
            "5:34: upstreams.a.health_check.timeout: is longer than interval, 1s; expected no more",
            id="a-check-that-is-not-over-when-the-next-is-due",
        ),
        pytest.param(
            ["outlier_detection: {base_ejection: 2m, max_ejection: 1m}"],
            "5:44: upstreams.a.outlier_detection.max_ejection: found 1m, less than base_ejection; "
            "expected no less",
            id="a-longest-ejection-shorter-than-the-first",
        ),
        pytest.param(
            ["outlier_detection: {max_ejection: 10s}"],
            "5:25: upstreams.a.outlier_detection.max_ejection: found 10s, less than base_ejection; "
            "expected no less",
            id="a-longest-ejection-shorter-than-the-first-by-default",
        ),
        pytest.param(
            ["outlier_detection: {max_ejected: 0.5}"],
            "5:25: upstreams.a.outlier_detection.max_ejected: found less than one percent; for a "
            "share of 0.5 write 50",
            id="a-share-for-percents",
        ),
        pytest.param(
            ["balancing: {panic_threshold: 0.3}"],
            "5:17: upstreams.a.balancing.panic_threshold: found less than one percent; for a share "
            "of 0.3 write 30",
            id="a-share-for-percents-of-panic",
        ),
    ],
)
def test_it_is_refused(lines, expected, tmp_path):
    with pytest.raises(ConfigError) as raised:
        load(written(tmp_path, *lines))
    assert f"gateway.yaml:{expected}" in str(raised.value)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["retries: {per_try_timeout: 4999ms}"], id="an-attempt-shorter-than-a-call"),
        pytest.param(["timeout: 40ms"], id="calls-shorter-than-hedges-that-are-off"),
        pytest.param(["health_check: {interval: 500ms}"], id="checks-more-often-than-they-last"),
        pytest.param(["health_check: {interval: 1s, timeout: 1s}"], id="checks-without-a-pause"),
        pytest.param(
            ["outlier_detection: {base_ejection: 10m}"], id="a-first-ejection-that-is-long"
        ),
        pytest.param(
            ["outlier_detection: {base_ejection: 1m, max_ejection: 1m}"],
            id="ejections-that-do-not-grow",
        ),
        pytest.param(["outlier_detection: {max_ejected: 0}"], id="no-percent"),
        pytest.param(["outlier_detection: {max_ejected: 1}"], id="one-percent"),
    ],
)
def test_it_is_taken(lines, tmp_path):
    assert "a" in load(written(tmp_path, *lines)).config.upstreams


def test_what_is_no_time_is_told_as_such_and_no_more(tmp_path):
    with pytest.raises(ConfigError) as raised:
        load(written(tmp_path, "timeout: soon", "retries: {per_try_timeout: 9}"))
    assert "has no effect" not in str(raised.value)
