"""What of a URL nobody is told."""

import pytest

from gateway.config.url_secrets import without_secrets


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("https://h/a", "https://h/a", id="nothing"),
        pytest.param("https://me:pw@h/a", "https://***@h/a", id="a user with a password"),
        pytest.param("https://me:p@w@h/a", "https://***@h/a", id="a password with an @"),
        pytest.param("https://@h", "https://***@h", id="a user without a name"),
        pytest.param("https://h/a@b", "https://h/a@b", id="an @ of the path"),
        pytest.param("https://h/?k=pw&l=pw#f", "https://h/?k=***&l=***#f", id="of the query"),
        pytest.param("me:pw@h", "me:pw@h", id="no URL"),
    ],
)
def test_of_a_url_the_user_and_the_values_of_the_query_are_hidden(text, told):
    assert without_secrets(text, "***") == told
