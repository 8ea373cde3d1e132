import pytest

from gateway.client.closing import comes_back


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, 4000, 4001, 4002, 4003, 4199])
def test_a_client_comes_back_after(code):
    assert comes_back(code)


@pytest.mark.parametrize(
    "code", [1002, 1007, 1009, 4200, 4205, 4400, 4401, 4403, 4408, 4409, 4413, 4429]
)
def test_a_client_stays_away_after(code):
    assert not comes_back(code)


@pytest.mark.parametrize(
    ("status", "again"),
    [(403, False), (404, False), (301, False), (429, True), (500, True), (503, True)],
)
def test_a_handshake_that_was_refused_is_made_again_where_that_may_pass(status, again):
    assert comes_back(status) is again
