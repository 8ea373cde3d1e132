"""A pause after what was refused: longer each time, short again when it works."""

from gateway.state.pause import Pause


def test_it_grows_to_a_minute_and_is_short_again_when_something_worked():
    now = [0.0]
    pause = Pause(lambda: now[0])
    assert not pause.lasts
    lengths = []
    for _ in range(8):
        began = now[0]
        pause.refused()
        pause.refused()  # those that were under way: the same one
        while pause.lasts:
            now[0] += 0.5
        lengths.append(now[0] - began)
    assert lengths == [1, 2, 4, 8, 16, 32, 60, 60]
    pause.worked()
    pause.refused()
    pause.worked()  # begun before: says nothing
    assert pause.lasts
    now[0] += 1
    assert not pause.lasts
