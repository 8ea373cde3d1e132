"""How many examples hypothesis tries where a test wants more than the usual, whatever the profile."""

from hypothesis import settings


def examples(times: float = 1) -> int:
    """So many times as many as the profile has."""
    return max(1, round(settings.default.max_examples * times))
