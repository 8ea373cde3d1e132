// In a page: what the browser tells, and what becomes of the connection.
import assert from "node:assert/strict";
import { test } from "node:test";

import { METHOD, opened } from "./sockets.mjs";

/** Has the client find a window, which a test can make tell things. */
function framed(t) {
  const page = new EventTarget();
  const listening = new Set();
  for (const [name, keep] of [["addEventListener", "add"], ["removeEventListener", "delete"]]) {
    globalThis[name] = (type, listener) => {
      listening[keep](type);
      page[name](type, listener);
    };
    t.after(() => delete globalThis[name]);
  }
  const tell = (type, more = {}) => page.dispatchEvent(Object.assign(new Event(type), more));
  return { tell, listening };
}

test("the network's coming back shortens the wait", async (t) => {
  const { tell } = framed(t);
  const client = opened(t, { backoff: () => 30_000 });
  tell("online");
  assert.equal(client.sockets.length, 1, "there is nothing to shorten");
  client.socket.cut();
  tell("online");
  assert.deepEqual([client.sockets.length, client.gateway.state], [2, "connecting"]);
});

for (const resume of [false, true]) {
  test(`a page that goes says so, and its calls end at once, resume: ${resume}`, async (t) => {
    const { tell } = framed(t);
    const welcome = resume ? { resume_ms: 30_000 } : {};
    const client = opened(t, { resume, welcome });
    const { status } = client.gateway.stream(METHOD);
    tell("pagehide", { persisted: false });
    assert.deepEqual([client.socket.closed, client.gateway.state], [1000, "closed"]);
    assert.equal((await status).status, "CANCELLED");
  });
}

test("a page that the browser keeps says nothing; when it is shown again it connects anew", async (t) => {
  const { tell } = framed(t);
  const client = opened(t, { resume: true, welcome: { resume_ms: 30_000 } });
  client.gateway.stream(METHOD);
  tell("pagehide", { persisted: true });
  assert.deepEqual([client.socket.closed, client.gateway.state], [null, "open"]);
  tell("pageshow", { persisted: true });
  assert.equal(client.gateway.state, "waiting");
  await client.tick(100);
  assert.equal(client.socket.welcome({ resume_ms: 30_000, resumed: [] }).session, "0.s1");
});

test("a kept page whose socket has broken waits no longer when it is shown again", (t) => {
  const { tell } = framed(t);
  const client = opened(t, { backoff: () => 30_000 });
  tell("pagehide", { persisted: true });
  client.socket.cut();
  tell("pageshow", { persisted: true });
  assert.deepEqual([client.sockets.length, client.gateway.state], [2, "connecting"]);
});

test("a page that is shown for the first time changes nothing", (t) => {
  const { tell } = framed(t);
  const client = opened(t);
  tell("pageshow", { persisted: false });
  assert.deepEqual([client.sockets.length, client.gateway.state], [1, "open"]);
});

test("a closed connection listens no more", (t) => {
  const { tell, listening } = framed(t);
  const client = opened(t);
  assert.ok(listening.size > 0);
  client.gateway.close();
  assert.deepEqual([...listening], []);
  tell("online");
  tell("pageshow", { persisted: true });
  assert.deepEqual([client.sockets.length, client.gateway.state], [1, "closed"]);
});
