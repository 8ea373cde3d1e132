"""What holds for all tests: none fails because the machine is busy; all can have a Redis."""

from hypothesis import settings

from tests.redis_server import own_redis, redis_server, redis_url

__all__ = ["own_redis", "redis_server", "redis_url"]

# No deadline: see above. A third of the usual examples, which are others each time; for all of them
# and more: `make test ARGS=--hypothesis-profile=thorough`.
settings.register_profile("unhurried", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("unhurried")
