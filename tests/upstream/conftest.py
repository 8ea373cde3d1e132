"""Tests of this folder share one event loop, as calls of a gateway do.

grpc.aio tells a loop that has been closed of what ends later, and then drops what it had to tell
the next one.
"""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE) and item.get_closest_marker("asyncio") is not None:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
