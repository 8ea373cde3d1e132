"""Ctrl-C ends what goes on until it comes, wherever it finds the command."""

import os
import signal

import pytest

from gateway.cli.interrupting import until_interrupted

BOUND = 1000


class Pressing:
    """What is interrupted in its finalizer, where no exception leaves."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(BOUND))


def test_it_ends_what_is_done():
    before = signal.getsignal(signal.SIGINT)
    done = []
    with until_interrupted() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        done.append("after it")
    assert not done
    assert interrupted()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_is_not_lost_amid_a_finalizer():
    rounds = 0
    with until_interrupted() as interrupted:
        while not interrupted() and rounds < BOUND:
            rounds += 1
            Pressing()
    assert rounds == 1


def test_other_exceptions_are_told():
    with pytest.raises(ValueError, match="another"), until_interrupted():
        raise ValueError("another")
