"""GraphiQL in a real browser: it needs nothing but the gateway, and its policy lets it do its work."""

import asyncio
import shutil
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from gateway.fronts.graphql.serve.graphiql import Graphiql, shipped

playwright = pytest.importorskip(
    "playwright.async_api", reason="needs Playwright, which `make test` installs"
)
CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Debian's chromium, which `make test` installs"
)


@pytest.fixture
async def client(start):
    """A front with its console."""
    return await start(pages=Graphiql("/graphql", shipped()))


@pytest.fixture
async def page(client):
    """The console in a browser; `asked` are the hosts that were asked, `complaints` its errors."""
    url = client.url
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        tab = await browser.new_page(viewport={"width": 1200, "height": 800})
        tab.asked, tab.complaints = set(), []

        async def only_ours(route):
            host = urlsplit(route.request.url).netloc
            tab.asked.add(host)
            if host == urlsplit(url).netloc:
                await route.continue_()
            else:
                await route.abort()

        await tab.route("**/*", only_ours)
        tab.on("console", lambda said: said.type == "error" and tab.complaints.append(said.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        await tab.goto(url)
        yield tab
        with suppress(playwright.Error):
            await browser.close()


async def run(page, text):
    """Replaces what is in the editor, and runs it."""
    await page.locator(".graphiql-query-editor .CodeMirror").click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(text)
    await page.keyboard.press("Escape")
    await page.locator(".graphiql-execute-button").click()


def answer(page, text):
    """The answer, when it shows a text."""
    return page.locator(".result-window .CodeMirror-code", has_text=text)


async def test_it_loads_from_the_gateway_alone(page, client):
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    await page.locator(".graphiql-doc-explorer", has_text="Subscription").wait_for()
    assert page.asked == {urlsplit(client.url).netloc}
    assert page.complaints == []


async def test_its_policy_lets_it_open_its_dialogs(page):
    for name in ("Open short keys dialog", "Open settings dialog"):
        await page.get_by_role("button", name=name).click()
        await page.get_by_role("dialog").wait_for()
        await page.keyboard.press("Escape")
        await page.get_by_role("dialog").wait_for(state="hidden")
    assert page.complaints == []


async def test_it_runs_a_query(page, client):
    await run(page, '{ hello(name: "Ada") }')
    await answer(page, '"hello": "Hello, Ada"').wait_for()
    assert page.complaints == []


async def test_it_runs_a_subscription(page, client):
    await run(page, "subscription { count(to: 3) }")
    await answer(page, '"count": 3').wait_for()
    assert client.engine.sent == 3
    assert page.complaints == []


async def test_a_subscription_is_stopped(page, client):
    engine = client.engine
    engine.gate = asyncio.Event()
    await run(page, "subscription { endless }")
    await asyncio.wait_for(engine.begun.wait(), 20)
    await page.locator(".graphiql-execute-button").click()
    await asyncio.wait_for(engine.ended.wait(), 20)
    assert engine.streams == 0
