import pytest

from gateway.client.tokens import Tokens


async def test_a_text_is_the_token_until_it_is_replaced():
    tokens = Tokens("one")
    assert await tokens.ask() == "one"
    tokens.replace("two")
    assert await tokens.ask() == "two"
    assert not tokens.renews


async def test_a_function_is_asked_each_time_and_stays_in_charge():
    given = iter(["one", "two"])
    tokens = Tokens(lambda: next(given))
    assert tokens.renews
    assert await tokens.ask() == "one"
    tokens.replace("other")
    assert await tokens.ask() == "two"


async def test_a_coroutine_function_is_awaited():
    async def token():
        return "later"

    assert await Tokens(token).ask() == "later"


async def test_none_is_no_token():
    assert await Tokens(None).ask() is None


@pytest.mark.parametrize("token", ["", "tökén"])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(ValueError, match="ASCII"):
        Tokens(token)
