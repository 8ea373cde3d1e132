from gateway.client.liveness import Liveness, Verdict


def test_after_an_interval_of_silence_a_ping_is_due():
    liveness = Liveness(25.0, now=100.0)
    assert liveness.due == 125.0
    assert liveness.look(125.0) is Verdict.ASK
    assert liveness.due == 150.0


def test_after_a_second_one_the_socket_is_dead():
    liveness = Liveness(25.0, now=100.0)
    liveness.look(125.0)
    assert liveness.look(149.0) is Verdict.WAIT
    assert liveness.look(150.0) is Verdict.DEAD


def test_any_frame_breaks_the_silence():
    liveness = Liveness(25.0, now=100.0)
    liveness.heard(120.0)
    assert liveness.look(125.0) is Verdict.WAIT
    assert liveness.due == 145.0
    liveness.look(145.0)
    liveness.heard(146.0)
    assert liveness.look(170.0) is Verdict.WAIT
    assert liveness.look(171.0) is Verdict.ASK
