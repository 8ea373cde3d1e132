"""The page of the example in a real browser: one socket, two streams, and what happens to them.

One browser for all tests; each has tabs of its own.
"""

import os
import re
import shutil
import signal
import socket
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from services_mock.testing import start
from tests.end_to_end.system import gateway, shop_config

playwright = pytest.importorskip(
    "playwright.async_api", reason="needs Playwright, which `make test` installs"
)
CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        CHROMIUM is None, reason="needs Debian's chromium, which `make test` installs"
    ),
]

CHAT, TICKER = "shop.chat.v1.ChatService/Join", "shop.inventory.v1.InventoryService/WatchStock"


class Served:
    """A gateway that serves the page, and can be started anew on its port."""

    def __init__(self, folder, addresses):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/demo"
        self._folder = folder
        self._config = shop_config(
            addresses,
            listener={"address": f"127.0.0.1:{port}", "drain_timeout": "0.1s"},
            websocket={"demo": True, "resume": "30s"},
        )
        self._running = ExitStack()

    def begin(self):
        """Starts the gateway."""
        self._running.enter_context(gateway(self._folder, self._config))

    def end(self):
        """Ends the gateway."""
        self._running.close()


@pytest.fixture(scope="module")
def backend():
    with start(1, "--restart") as each:
        yield each


@pytest.fixture(scope="module")
def served(backend, tmp_path_factory):
    each = Served(tmp_path_factory.mktemp("gateway"), backend.addresses)
    each.begin()
    yield each
    each.end()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium():
    async with playwright.async_playwright() as started:
        each = await started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield each
        with suppress(playwright.Error):
            await each.close()


@pytest_asyncio.fixture(loop_scope="module")
async def browser(chromium):
    context = await chromium.new_context(viewport={"width": 1200, "height": 1000})
    yield context
    await context.close()


async def opened(browser, url, *, name=None):
    """A tab with the page; `asked` are the hosts that were asked, `complaints` its errors."""
    tab = await browser.new_page()
    tab.asked, tab.complaints = set(), []
    tab.on("request", lambda request: tab.asked.add(urlsplit(request.url).netloc))
    tab.on("console", lambda said: said.type == "error" and tab.complaints.append(said.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    await tab.goto(url)
    if name is not None:
        await tab.get_by_label("You are").fill(name)
        await tab.get_by_label("What to say").focus()
        await said(tab, f"{name} came").wait_for()
    return tab


def said(tab, text):
    """What the room has said (back)."""
    return tab.locator("#said li:not(.unheard, .lost)", has_text=text)


async def say(tab, text):
    await tab.get_by_label("What to say").fill(text)
    await tab.get_by_role("button", name="Send").click()


async def received(tab, method):
    """How many messages of a stream have come, and its credit to receive."""
    cells = tab.locator(f'#streams tr[data-method="{method}"]').last.locator("td")
    return int(await cells.nth(4).inner_text()), int(await cells.nth(5).inner_text())


async def until(tab, expression, argument=None):
    await tab.wait_for_function(expression, arg=argument, timeout=20_000)


async def until_more(tab, method, than):
    await until(
        tab,
        """([method, than]) => [...document.querySelectorAll("#streams tr")].some((row) =>
            row.dataset.method === method && Number(row.cells[4].textContent) > than)""",
        [method, than],
    )


async def test_it_loads_from_the_gateway_alone(browser, served):
    tab = await opened(browser, served.url, name="ann")
    await until_more(tab, TICKER, 3)
    assert tab.asked == {urlsplit(served.url).netloc}
    assert tab.complaints == []


async def test_two_tabs_chat(browser, served):
    ann = await opened(browser, served.url, name="ann")
    bob = await opened(browser, served.url, name="bob")
    await say(ann, "hello bob")
    await said(bob, "hello bob").wait_for()
    await say(bob, "<b>hello</b> ann")
    await said(ann, "<b>hello</b> ann").wait_for()
    assert await said(ann, "hello bob").get_attribute("class") == "mine"
    assert await ann.locator("#said li", has_text="hello bob").count() == 1
    assert ann.complaints + bob.complaints == []


async def test_the_others_hear_who_has_left(browser, served):
    ann = await opened(browser, served.url, name="ann")
    bob = await opened(browser, served.url, name="bob")
    await bob.get_by_label("You are").fill("rob")
    await bob.get_by_label("What to say").focus()
    await said(ann, "bob left").wait_for()
    await said(ann, "rob came").wait_for()


async def test_the_others_hear_at_once_of_a_tab_that_was_closed(browser, served):
    ann = await opened(browser, served.url, name="ann")
    bob = await opened(browser, served.url, name="bob")
    # As a user closes it. What can be resumed would be there for 30 seconds.
    await bob.close(run_before_unload=True)
    await said(ann, "bob left").wait_for(timeout=5_000)


async def test_a_tab_that_is_loaded_again_leaves_and_comes_with_its_name(browser, served):
    ann = await opened(browser, served.url, name="ann")
    bob = await opened(browser, served.url, name="bob")
    await bob.reload()
    await said(ann, "bob left").wait_for(timeout=5_000)
    await said(ann, "bob came").nth(1).wait_for()
    assert await bob.get_by_label("You are").input_value() == "bob"


async def test_spaces_say_nothing(browser, served):
    ann = await opened(browser, served.url, name="ann")
    await say(ann, "   ")
    await say(ann, " hello ")
    await said(ann, "hello").wait_for()
    assert await ann.locator("#said li.mine").all_inner_texts() == ["ann\nhello"]


async def test_a_long_talk_stays_in_its_list(browser, served):
    ann = await opened(browser, served.url, name="ann")
    talk = ann.locator("#said")
    before = await talk.evaluate("list => list.clientHeight")
    await ann.evaluate("""() => {
        for (let number = 0; number < 230; number++) {
            document.getElementById("text").value = `line ${number}.`;
            document.getElementById("say").requestSubmit();
        }
    }""")
    await said(ann, "line 229.").wait_for()
    assert await ann.locator("#said li").count() == 200
    assert await talk.evaluate("list => list.clientHeight") == before
    await talk.evaluate("list => list.scrollTop = 0")
    await say(ann, "down here")
    assert await talk.evaluate("list => list.scrollTop") > 0
    await talk.evaluate("list => list.scrollTop = 0")
    bob = await opened(browser, served.url, name="bob")
    await say(bob, "hello")
    await said(ann, "hello").wait_for()
    assert await talk.evaluate("list => list.scrollTop") == 0


async def test_a_paused_reader_holds_the_ticker_back_and_not_the_chat(browser, served):
    tab = await opened(browser, served.url, name="ann")
    await until_more(tab, TICKER, 3)
    await tab.get_by_role("button", name="Pause the reader").click()
    await until(
        tab,
        """(method) => [...document.querySelectorAll("#streams tr")].some((row) =>
            row.dataset.method === method && row.cells[5].innerText.trim() === "0")""",
        TICKER,
    )
    held, credit = await received(tab, TICKER)
    await say(tab, "still here")
    await said(tab, "still here").wait_for()
    assert credit == 0
    assert await received(tab, TICKER) == (held, 0)
    await tab.get_by_role("button", name="Read on").click()
    await until_more(tab, TICKER, held + 8)


async def test_a_socket_that_is_cut_comes_back_with_its_streams(browser, served):
    tab = await opened(browser, served.url, name="ann")
    await until_more(tab, TICKER, 3)
    before, _ = await received(tab, TICKER)
    await tab.get_by_role("button", name="Cut the socket").click()
    await tab.locator('.state[data-state="waiting"]').wait_for()
    await say(tab, "said while away")
    await tab.locator('.state[data-state="open"]').wait_for()
    await said(tab, "said while away").wait_for()
    await until_more(tab, TICKER, before + 5)
    assert await tab.locator("#resumed").inner_text() == "1"
    assert await tab.locator("#said li", has_text="ann came").count() == 1
    assert tab.complaints == []


async def test_who_does_not_want_to_wait_connects_now(browser, served):
    tab = await opened(browser, served.url, name="ann")
    # The page's own wait would be 700 ms at least: that of the test is longer.
    await tab.evaluate("""() => {
        const { setTimeout: set } = window;
        window.setTimeout = (act, ms) => set(act, ms >= 700 ? 600_000 : ms);
    }""")
    await tab.get_by_role("button", name="Cut the socket").click()
    now = tab.get_by_role("button", name="now")
    await now.click()
    await tab.locator('.state[data-state="open"]').wait_for()
    assert await now.count() == 0


async def test_a_backend_that_dies_ends_the_streams_and_they_are_opened_again(
    browser, served, backend
):
    tab = await opened(browser, served.url, name="ann")
    await until_more(tab, TICKER, 3)
    os.kill(backend.pids[0], signal.SIGSTOP)
    await say(tab, "into the void")
    await tab.locator("#said li.unheard", has_text="into the void").wait_for()
    os.kill(backend.pids[0], signal.SIGKILL)
    await tab.locator("#said li.lost", has_text="into the void").wait_for()
    await said(tab, "ann came").nth(1).wait_for()
    await until_more(tab, TICKER, 3)
    assert await tab.locator("#reconnections").inner_text() == "0"
    events = tab.locator("#events li")
    for name in ("chat", "ticker"):  # more than once where the backend was not there at once
        ended = events.filter(has_text=re.compile(rf"the {name} ended \(stream \d+\): UNAV"))
        await ended.first.wait_for()
        again = events.filter(has_text=re.compile(rf"the {name} was opened again, as"))
        await again.first.wait_for()


async def test_it_comes_back_when_the_gateway_was_started_anew(browser, served):
    tab = await opened(browser, served.url, name="ann")
    served.end()
    await tab.locator('.state:not([data-state="open"])').wait_for()
    await say(tab, "into the void")
    served.begin()
    await tab.locator('.state[data-state="open"]').wait_for()
    await said(tab, "ann came").nth(1).wait_for()
    # Heard or lost, by when it was said; never in doubt for good.
    await tab.locator("#said li:not(.unheard)", has_text="into the void").wait_for()
    await say(tab, "here again")
    await said(tab, "here again").wait_for()
    await until_more(tab, TICKER, 3)


async def test_it_fits_a_phone(browser, served):
    tab = await opened(browser, served.url, name="ann")
    await tab.set_viewport_size({"width": 360, "height": 740})
    assert await tab.evaluate("document.documentElement.scrollWidth") <= 360
