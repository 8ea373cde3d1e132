"""What operators may ask of a generation."""

import pytest

from gateway.app.operations import Operations
from gateway.operations import FAILED, NOT_ASKED_RIGHT, NOT_THERE, OperationError
from gateway.operations.arguments import only


@pytest.fixture
def operations():
    made = Operations()

    async def purge(arguments):
        if "bug" in arguments:
            raise LookupError
        only(arguments, "tag", "all")
        return {"purged": len(arguments)}

    made.offer("purge", purge)
    return made


async def test_what_is_offered_is_done(operations):
    assert await operations.run("purge", {"tag": "a"}) == {"purged": 1}


@pytest.mark.parametrize("name", ["usage", "other"])
async def test_what_is_not_offered_is_told(operations, name):
    with pytest.raises(OperationError) as caught:
        await operations.run(name, {})
    assert caught.value.reason == NOT_THERE


async def test_an_argument_that_is_not_known_lists_those_there_are(operations):
    with pytest.raises(OperationError, match="'tags'; there are: tag, all") as caught:
        await operations.run("purge", {"tags": "a"})
    assert caught.value.reason == NOT_ASKED_RIGHT


async def test_a_bug_is_logged_and_not_shown(operations, caplog):
    with pytest.raises(OperationError, match="The gateway failed") as caught:
        await operations.run("purge", {"bug": "1"})
    assert caught.value.reason == FAILED
    assert "LookupError" in caplog.text
