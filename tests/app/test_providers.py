"""Providers of identity outlive generations, and end with the last that uses them."""

from __future__ import annotations

import asyncio
import logging
import threading
from types import SimpleNamespace

import pytest

from gateway.app import providers
from gateway.app.providers import ProviderPool
from gateway.app.settings import SettingError, SettingErrors
from gateway.config import Rate, from_mapping

RATE = Rate(100, 1)


class Made:
    """A provider that counts how often it was begun and ended."""

    def __init__(self, name):
        self.name = name
        self.opened = self.closed = 0
        self.failure = None

    async def open(self):
        self.opened += 1

    async def close(self):
        self.closed += 1
        if self.failure:
            raise self.failure


@pytest.fixture(autouse=True)
def made(monkeypatch):
    """Every provider that was made, in order."""
    every = []

    def make(making):
        every.append(Made(making.name))
        return every[-1]

    monkeypatch.setattr(providers, "_MAKE", {"mtls": make, "ext_authz": make})
    monkeypatch.setattr(providers, "_GRACE", 0)
    return every


def config(**given):
    upstreams = {"authz": {"endpoints": ["127.0.0.1:1"]}} if "external" in given else {}
    return from_mapping(
        {"upstreams": upstreams, "auth": {"providers": given}}, origin="test"
    ).config


def handler(name):
    return UPSTREAMS[name].start


class Upstream:
    def start(self, call, done):
        raise AssertionError("nobody is asked here")


UPSTREAMS = {"authz": Upstream()}


@pytest.fixture
async def pool():
    return ProviderPool()


async def generation(pool, given, handler=handler):
    """Goes over to the providers of a config, as a reload does."""
    found = await pool.providers(given, handler)
    await pool.open(given, found, handler)
    pool.settle(found, RATE)
    return found


async def ended(pool):
    while pool._leaving or pool._closing:
        await asyncio.sleep(0)


async def test_a_provider_is_begun_once_and_kept_over_reloads(pool, made):
    given = config(devices={"mtls": {}})
    first = await generation(pool, given)
    second = await generation(pool, config(devices={"mtls": {}}))
    assert first["devices"] is second["devices"]
    assert (made[0].opened, made[0].closed) == (1, 0)


async def test_a_provider_that_is_gone_is_ended_and_a_new_one_begun(pool, made):
    await generation(pool, config(devices={"mtls": {}}))
    await generation(pool, config(machines={"mtls": {}}))
    await ended(pool)
    assert [(each.name, each.opened, each.closed) for each in made] == [
        ("devices", 1, 1),
        ("machines", 1, 0),
    ]


async def test_a_provider_is_made_in_a_thread_and_the_loop_goes_on(pool, monkeypatch):
    loop = asyncio.get_running_loop()
    begun, ended = asyncio.Event(), threading.Event()

    def make(making):
        loop.call_soon_threadsafe(begun.set)
        assert ended.wait(60)
        return Made(making.name)

    monkeypatch.setattr(providers, "_MAKE", {"mtls": make})
    making = asyncio.create_task(pool.providers(config(machines={"mtls": {}}), handler))
    await begun.wait()  # would never end if it were read on the loop
    ended.set()
    assert (await making)["machines"].name == "machines"


async def test_a_config_that_is_not_taken_begins_nothing(pool, made):
    await generation(pool, config(devices={"mtls": {}}))
    await pool.providers(config(machines={"mtls": {}}), handler)
    assert made[1].opened == 0
    assert made[0].closed == 0


async def test_all_that_is_wrong_with_their_files_is_told(pool, monkeypatch):
    def broken(making):
        raise SettingError(f"auth.providers.{making.name}.mtls", f"{making.name} is broken")

    monkeypatch.setattr(providers, "_MAKE", {"mtls": broken})
    with pytest.raises(SettingErrors, match="a is broken; b is broken") as failure:
        await pool.providers(config(a={"mtls": {}}, b={"mtls": {}}), handler)
    assert [each.path for each in failure.value.errors] == [
        "auth.providers.a.mtls",
        "auth.providers.b.mtls",
    ]


async def test_a_provider_that_asks_an_upstream_goes_with_it(pool, made):
    given = config(external={"ext_authz": {"upstream": "authz"}})
    await generation(pool, given)
    await generation(pool, given)
    assert len(made) == 1
    replaced = SimpleNamespace(start=Upstream().start)
    await generation(pool, given, lambda _: replaced.start)
    await ended(pool)
    assert [(each.opened, each.closed) for each in made] == [(1, 1), (1, 0)]


async def test_the_end_ends_all_and_those_that_were_about_to(pool, made, monkeypatch):
    monkeypatch.setattr(providers, "_GRACE", 3600)
    await generation(pool, config(devices={"mtls": {}}))
    await generation(pool, config(machines={"mtls": {}}))
    await pool.close()
    assert [each.closed for each in made] == [1, 1]


async def test_one_that_cant_be_ended_harms_no_other(pool, made, caplog):
    await generation(pool, config(devices={"mtls": {}}, machines={"mtls": {}}))
    made[0].failure = RuntimeError("stuck")
    with caplog.at_level(logging.ERROR):
        await pool.close()
    assert [each.closed for each in made] == [1, 1]
    assert "devices" in caplog.text


async def test_what_addresses_have_spent_outlives_reloads_at_the_same_rate(pool):
    guard = pool.guard(RATE)
    pool.settle({}, RATE)
    assert pool.guard(Rate(100, 1)) is guard
    pool.settle({}, Rate(5, 1))
    assert pool.guard(RATE) is not guard
