"""The Redis that tests have: what it does when it is ended, frozen, filled."""

import pytest
import redis

from tests.redis_server import running


def test_an_empty_one_for_each_test(redis_url):
    with redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "here")


def test_what_one_test_leaves_another_does_not_see(redis_url):
    with redis.from_url(redis_url) as client:
        assert client.get("left") is None


def test_a_persistent_one_has_all_after_it_was_killed(tmp_path):
    with running(tmp_path, persistent=True) as server:
        server.ask("SET", "a", "1")
        server.kill()
        with pytest.raises(redis.ConnectionError):
            server.ask("GET", "a")
        server.restart()
        assert server.ask("GET", "a") == b"1"


def test_others_forget_all(own_redis):
    own_redis.ask("SET", "a", "1")
    own_redis.restart()
    assert own_redis.ask("GET", "a") is None


def test_a_frozen_one_answers_when_it_goes_on(own_redis):
    own_redis.stop()
    with redis.Redis(port=own_redis.port, socket_timeout=0.05) as client:
        with pytest.raises(redis.TimeoutError):
            client.ping()
        own_redis.cont()
    assert own_redis.ask("PING")


def test_a_full_one_takes_nothing(own_redis):
    own_redis.full()
    with pytest.raises(redis.OutOfMemoryError):
        own_redis.ask("SET", "a", "1")
    own_redis.full(is_full=False)
    assert own_redis.ask("SET", "a", "1")


def test_its_password_is_asked_for(tmp_path):
    with running(tmp_path, password="secret") as server:
        assert server.ask("PING")
        with redis.Redis(port=server.port) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
