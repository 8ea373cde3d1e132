"""What holds for all tests: none fails because the machine is busy; all can have a Redis."""

from hypothesis import settings

from tests.redis_server import own_redis, redis_server, redis_url

__all__ = ["own_redis", "redis_server", "redis_url"]

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
