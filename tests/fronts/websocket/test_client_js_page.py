"""The JavaScript of docs/websocket.md runs as it is printed, against the example's backends."""

import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services_mock.testing import start
from tests.end_to_end.system import gateway, shop_config
from tests.fronts.graphql.serve.node import needs_node
from tests.fronts.websocket.node import PAGES, node

pytestmark = needs_node

PAGE = (Path(__file__).parents[3] / "docs" / "websocket.md").read_text()
SCRIPTS = re.findall(r"^```js\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
HOST = "127.0.0.1:8080"

# What a page of the gateway has and Node 20 has not.
BROWSER = """
import WebSocket from "ws";
Object.assign(globalThis, {{ WebSocket, location: {{ href: "http://{host}/" }} }});
"""


def script(words):
    """The one script of the page that has these words."""
    [found] = [each for each in SCRIPTS if words in each]
    return found


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """Where a gateway like that of the page is."""
    with start() as backend:
        config = shop_config(backend.addresses, websocket={"resume": "30s"})
        with gateway(tmp_path_factory.mktemp("gateway"), config) as served:
            yield urlsplit(served.url).netloc


async def said(text, host, client=PAGES / "client.js"):
    """Runs a script; returns the lines that it prints."""
    for name in ("/ws/client.js", "./client.mjs"):
        text = text.replace(f'"{name}"', f'"{client.as_uri()}"')
    text = text.replace(HOST, host)
    code, out, err = await node("--input-type=module", "-", script=text.encode())
    assert (code, err) == (0, "")
    return out.splitlines()


async def test_the_plain_form(host):
    text = BROWSER.format(host=host) + script("new WebSocket(")
    lines = await said(text, host)
    assert "joined: 'ann'" in lines[0]
    assert any("text: 'hello'" in line for line in lines)
    assert lines[-1] == "OK"


async def test_the_plain_form_of_a_call_that_fails(host):
    path = "/v1/rooms/lobby:watch"  # takes no message, and does not end by itself
    text = BROWSER.format(host=host) + script("new WebSocket(")
    lines = await said(text.replace("/v1/rooms/lobby:chat", path), host)
    assert any("failed with code 3 of gRPC" in line for line in lines), lines


async def test_the_first_script_and_its_listeners(host):
    listeners = script('gateway.addEventListener("state"')
    text = BROWSER.format(host=host) + script("// Both directions")
    first, second = text.split("// One message each way")
    lines = await said(f"{first}{listeners}{second}\ngateway.close();", host)
    assert sum(re.fullmatch(r"p1 \d+", line) is not None for line in lines) == 3
    assert any("joined: 'ann'" in line for line in lines)
    assert any("text: 'hello'" in line for line in lines)
    assert lines[-1].startswith("closed"), lines


async def test_the_loop_around_the_loop(host):
    # The stream ends, is opened again, and that time closes the connection.
    before = """
        import { Code, connect, fullJitter } from "/ws/client.js";
        Math.random = () => 0;
        const gateway = connect("/ws");
        const body = { productIds: ["p1"], interval: "0.01s", count: 2 };
        let opened = 0;
        function watch() {
          if (++opened === 3) gateway.close();
          return opened === 3
            ? []
            : gateway.stream("shop.inventory.v1.InventoryService/WatchStock", { body, end: true });
        }
        const show = ({ productId }) => console.log(productId);
    """
    lines = await said(BROWSER.format(host=host) + before + script("fullJitter(attempt)"), host)
    assert lines == ["p1"] * 4


def test_no_script_is_left_out():
    parts = ["new WebSocket(", 'gateway.addEventListener("state"', "// Both directions"]
    parts += ["fullJitter(attempt)", "// stock.mjs"]
    assert {script(each) for each in parts} == set(SCRIPTS)


async def test_the_script_for_node(host, tmp_path):
    client = shutil.copy(PAGES / "client.js", tmp_path / "client.mjs")
    stock, missing = await said(script("// stock.mjs"), host, Path(client))
    assert re.fullmatch(r"p1 \d+", stock)
    assert "none" in missing
