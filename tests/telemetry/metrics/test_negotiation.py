"""Which form a scraper gets, by its Accept."""

import pytest

from gateway.telemetry.metrics.negotiation import OPENMETRICS, TEXT, preferred

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        pytest.param("", TEXT, id="none"),
        pytest.param("*/*", TEXT, id="anything"),
        pytest.param("text/html,*/*;q=0.8", TEXT, id="a browser"),
        pytest.param(PROMETHEUS, OPENMETRICS, id="Prometheus"),
        pytest.param("application/openmetrics-text", OPENMETRICS, id="without a version"),
        pytest.param('application/openmetrics-text; version="1.0.0"', OPENMETRICS, id="quoted"),
        pytest.param("application/openmetrics-text;version=2.0.0", TEXT, id="a later version"),
        pytest.param("application/openmetrics-text;q=0", TEXT, id="not wanted"),
        pytest.param("application/openmetrics-text;q=0.5,text/plain", TEXT, id="text rather"),
        pytest.param("APPLICATION/OpenMetrics-Text;Q=1", OPENMETRICS, id="any case"),
        pytest.param("application/openmetrics-text;q=nan", TEXT, id="no number"),
        pytest.param("application/openmetrics-text;q=much", TEXT, id="no quality"),
        pytest.param(";,;=,", TEXT, id="nonsense"),
    ],
)
def test_the_form(accept, form):
    assert preferred(accept) == form
