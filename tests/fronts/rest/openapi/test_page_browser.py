"""The page in a real browser: it needs nothing but the gateway, and its policy lets it do its work."""

import json
import shutil
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.system import gateway, shop_config

playwright = pytest.importorskip(
    "playwright.async_api", reason="needs Playwright, which `make test` installs"
)
CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Debian's chromium, which `make test` installs"
)

# Texts that are less than 4.5 to 1 from what they stand on (WCAG 2.2, 1.4.3).
FAINT = """() => {
  const parts = (color) => {
    const [r, g, b, a = 1] = color.match(/[0-9.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) => below.map((each, at) => top[at] * top[3] + each * (1 - top[3]));
  const light = (color) => {
    const [r, g, b] = color.map((each) =>
      each <= 10 ? each / 255 / 12.92 : ((each / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const each of document.querySelectorAll("#api *")) {
    const text = [...each.childNodes].map((one) => (one.nodeType === 3 ? one.data.trim() : "")).join("");
    if (text === "" || each.getBoundingClientRect().height === 0) continue;
    let ground = [255, 255, 255];
    let opacity = 1;
    const around = [];
    for (let one = each; one; one = one.parentElement) around.unshift(getComputedStyle(one));
    for (const style of around) {
      ground = over(parts(style.backgroundColor), ground);
      opacity *= Number(style.opacity);
    }
    const [r, g, b, a] = parts(getComputedStyle(each).color);
    const [less, more] = [light(over([r, g, b, a * opacity], ground)), light(ground)].sort((a, b) => a - b);
    if ((more + 0.05) / (less + 0.05) < 4.5) found.push(`${each.tagName}.${each.className}: ${text}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A gateway whose backends are away: its own answers will do."""
    with gateway(tmp_path_factory.mktemp("page"), shop_config(["127.0.0.1:1"])) as each:
        yield each.url


async def test_it_shows_the_document_and_calls_what_it_describes(url):
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = await browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
        asked, wrong = set(), []
        page.on("request", lambda one: asked.add(urlsplit(one.url).netloc))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: "Policy" in said.text and wrong.append(said.text))
        await page.goto(f"{url}/docs")
        operation = page.locator(".opblock", has_text="Gets one product").first
        await operation.locator(".opblock-summary-control").click()
        await operation.get_by_role("button", name="Try it out").click()
        await operation.locator("input[placeholder='id']").fill("p3")
        await operation.get_by_role("button", name="Execute").click()
        await operation.locator(".live-responses-table", has_text="503").first.wait_for()
        assert await page.locator("html.dark-mode").count() == 1
        for method in ("put", "patch", "delete"):
            await page.locator(f".opblock-{method} .opblock-summary-control").first.click()
        body = page.locator(".opblock-post[id*=CreateOrder]")
        await body.locator(".opblock-summary-control").click()
        await body.get_by_role("button", name="Try it out").click()
        sent = json.loads(await body.locator("textarea.body-param__text").input_value())
        assert ("card" in sent, "invoiceTerm" in sent) == (True, False)
        assert await page.evaluate(FAINT) == []
        await page.emulate_media(color_scheme="light")
        assert await page.locator("html.dark-mode").count() == 0
        await page.wait_for_function(f"() => ({FAINT})().length === 0")  # once colours have changed
        # Nothing is wider than a phone.
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await browser.close()
    assert wrong == []
    assert asked - {""} == {urlsplit(url).netloc}
