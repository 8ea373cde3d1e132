"""Sockets on a clock that is turned by hand; nothing may be left of them."""

import asyncio
from types import SimpleNamespace

import pytest

from gateway.fronts.websocket import calls, driver
from tests.fronts.websocket.drivers import Clock, World
from tests.fronts.websocket.plain.fakes import settled


@pytest.fixture
def hand_clock(monkeypatch):
    """What drivers take for the event loop's clock."""
    clock = Clock()
    turned = SimpleNamespace(get_running_loop=lambda: clock, sleep=asyncio.sleep)
    for module in (calls, driver):
        monkeypatch.setattr(module, "asyncio", turned)
    return clock


@pytest.fixture
async def world(hand_clock):
    """Makes what sockets share: `world(resume=30.0)`. At the end all of them go."""
    clients = []

    def make(**options):
        made = World(hand_clock, **options)
        dial = made.dial

        def dial_and_note(**how):
            clients.append(dial(**how))
            return clients[-1]

        made.dial = dial_and_note
        return made

    yield make
    worlds = {id(each.world): each.world for each in clients}.values()
    for client in clients:
        assert client.driver is None or client.driver._holds >= 0
        client.socket.goes()
    for each in worlds:
        each.sessions.close()
    await settled()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert hand_clock.left == []
    for each in worlds:
        assert each.sessions._known == each.sessions._waiting == {}
