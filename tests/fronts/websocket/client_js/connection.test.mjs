// The life of a connection: hello, tokens, health, and coming back.
import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, fullJitter } from "../../../../gateway/fronts/websocket/pages/client.js";
import { all, begin, METHOD, now, opened, settled, Socket } from "./sockets.mjs";

// The beginning

test("hello comes first, with the subprotocol offered", (t) => {
  const { gateway, socket } = begin(t);
  gateway.stream(METHOD);
  assert.deepEqual([socket.url, socket.protocols], ["ws://gateway/ws", ["grpcws.v1.json"]]);
  assert.deepEqual(socket.take(), [], "nothing before the socket is open");
  socket.open();
  assert.deepEqual(socket.take(), { t: "hello" });
  socket.say({ t: "welcome", session: "s", ping_ms: 1000, limits: { streams: 1, credit: 1 } });
  assert.equal(socket.take().t, "open");
});

for (const [given, dialled] of [
  ["ws://a:1/ws", "ws://a:1/ws"],
  ["http://a/ws", "ws://a/ws"],
  ["https://a/ws?x=1", "wss://a/ws?x=1"],
]) {
  test(`${given} is dialled as ${dialled}`, (t) => {
    const dialledAt = [];
    class Dialled extends Socket {
      constructor(url) {
        super(url);
        dialledAt.push(url);
      }
    }
    connect(given, { WebSocket: Dialled }).close();
    assert.deepEqual(dialledAt, [dialled]);
  });
}

test("a relative URL is one of the page, and no URL anywhere else", (t) => {
  assert.throws(() => connect("/ws", { WebSocket: Socket }), TypeError);
  globalThis.location = { href: "https://shop.example/demo/" };
  t.after(() => delete globalThis.location);
  let dialled;
  class Dialled extends Socket {
    constructor(url) {
      super(url);
      dialled = url;
    }
  }
  connect("/ws", { WebSocket: Dialled }).close();
  assert.equal(dialled, "wss://shop.example/ws");
});

test("Node without a WebSocket is told which option is missing", { skip: "WebSocket" in globalThis }, () => {
  assert.throws(() => connect("ws://a/ws"), /options\.WebSocket/);
});

// Tokens

test("a token is said in hello", (t) => {
  const { socket } = begin(t, { token: "abc" });
  assert.deepEqual(socket.welcome(), { t: "hello", token: "abc" });
});

test("a function is asked for a token before each connection", async (t) => {
  let asked = 0;
  const client = begin(t, { token: async () => `t${++asked}` });
  await settled();
  assert.equal(client.socket.welcome().token, "t1");
  client.socket.cut();
  await client.tick(100);
  assert.equal(client.socket.welcome().token, "t2");
});

test("a function that fails is asked again", async (t) => {
  let asked = 0;
  const token = async () => {
    asked += 1;
    if (asked === 1) throw new Error("no token server");
    return "t";
  };
  const client = begin(t, { token });
  await settled();
  assert.deepEqual([client.sockets.length, client.states[0].reason], [0, "Error: no token server"]);
  await client.tick(100);
  assert.equal(client.socket.welcome().token, "t");
});

test("auth_expiring has the function asked, and the answer sent", async (t) => {
  let asked = 0;
  const client = begin(t, { token: () => `t${++asked}` });
  await settled();
  client.socket.welcome();
  client.socket.say({ t: "auth_expiring", token_s: 30 });
  await settled();
  assert.deepEqual(client.socket.take(), { t: "auth", token: "t2" });
  client.socket.say({ t: "auth_ok", token_s: 300 });
  assert.equal(client.gateway.state, "open");
});

test("auth resolves with auth_ok, and later connections say its token", async (t) => {
  const client = opened(t, { token: "old" });
  const taken = client.gateway.auth("new");
  assert.deepEqual(client.socket.take(), { t: "auth", token: "new" });
  assert.equal(await now(taken), "pending");
  client.socket.say({ t: "auth_ok" });
  await taken;
  client.socket.cut();
  await client.tick(100);
  assert.equal(client.socket.welcome().token, "new");
  assert.deepEqual(client.socket.take(), [], "hello has said it");
});

test("an auth that was lost with its socket is taken with the next hello", async (t) => {
  const client = opened(t, { token: "old" });
  const taken = client.gateway.auth("new");
  client.socket.cut();
  await client.tick(100);
  assert.equal(await now(taken), "pending");
  client.socket.welcome();
  await taken;
});

test("an auth after hello is sent after welcome", async (t) => {
  const client = begin(t, { token: "old" });
  client.socket.open();
  const taken = client.gateway.auth("new");
  assert.equal(client.socket.take().token, "old");
  client.socket.say({ t: "welcome", session: "s", ping_ms: 1000, limits: {} });
  assert.deepEqual(client.socket.take(), { t: "auth", token: "new" });
  client.socket.say({ t: "auth_ok" });
  await taken;
});

test("auth_expiring with a function that gives no token says nothing", async (t) => {
  const gives = ["t", null];
  const client = begin(t, { token: () => gives.shift() });
  await settled();
  client.socket.welcome();
  client.socket.say({ t: "auth_expiring", token_s: 30 });
  await settled();
  assert.deepEqual(client.socket.take(), []);
});

test("after 4003 the function is asked, and the next socket says its token", async (t) => {
  let asked = 0;
  const client = begin(t, { token: () => `t${++asked}` });
  await settled();
  client.socket.welcome();
  client.socket.cut(4003, "the token has expired");
  assert.equal(client.gateway.state, "waiting");
  await client.tick(100);
  assert.equal(client.socket.welcome().token, "t2");
});

test("a token that is refused is asked for once more", async (t) => {
  let asked = 0;
  const client = begin(t, { token: () => `t${++asked}` });
  await settled();
  const waits = client.gateway.stream(METHOD);
  client.socket.open();
  client.socket.cut(4401, "it has expired");
  assert.equal(client.gateway.state, "waiting");
  await client.tick(100);
  assert.equal(client.socket.welcome().token, "t2");
  assert.equal(client.socket.take().id, waits.id);
});

test("and no more than once", async (t) => {
  let asked = 0;
  const client = begin(t, { token: () => `t${++asked}` });
  await settled();
  client.socket.open();
  client.socket.cut(4401);
  await client.tick(100);
  client.socket.open();
  client.socket.cut(4401, "nobody knows it");
  assert.equal(client.gateway.state, "closed");
  assert.equal(asked, 2);
  const error = await now(client.gateway.call(METHOD));
  assert.equal(error.status, "UNAUTHENTICATED");
  assert.match(error.message, /nobody knows it/);
});

test("unless one was taken between", async (t) => {
  const client = begin(t, { token: () => "t" });
  await settled();
  for (let refused = 0; refused < 3; refused++) {
    client.socket.welcome();
    client.socket.cut(4401);
    assert.equal(client.gateway.state, "waiting");
    await client.tick(30_000);
  }
});

test("a token of auth that is refused is told, and not said again", async (t) => {
  const client = begin(t, { token: () => "t" });
  await settled();
  client.socket.welcome();
  const taken = client.gateway.auth("bad");
  client.socket.take();
  client.socket.cut(4401, "nobody knows it");
  assert.equal((await now(taken)).status, "UNAUTHENTICATED");
  await client.tick(100);
  assert.equal(client.socket.welcome().token, "t");
  assert.deepEqual(client.socket.take(), []);
});

test("a fixed token that is refused closes for good", async (t) => {
  const client = begin(t, { token: "t" });
  await settled();
  client.socket.open();
  client.socket.cut(4401);
  assert.equal(client.gateway.state, "closed");
});

// Being alive

test("a silent connection is asked with a ping, and given up without an answer", async (t) => {
  const { gateway, socket, states, tick } = opened(t, { welcome: { ping_ms: 1000 } });
  await tick(1000);
  assert.deepEqual(socket.take(), [], "welcome was heard");
  await tick(1000);
  assert.equal(socket.take().t, "ping");
  await tick(1000);
  assert.equal(gateway.state, "waiting");
  assert.deepEqual([socket.closed, states.at(-1).code], [4002, 4002]);
});

for (const frame of [{ t: "pong", data: "" }, { t: "message", id: 9, body: 1 }]) {
  test(`a ${frame.t} is a sign of life`, async (t) => {
    const { gateway, socket, tick } = opened(t, { welcome: { ping_ms: 1000 } });
    for (let i = 0; i < 10; i++) {
      await tick(1000);
      if ([socket.take()].flat().some((each) => each.t === "ping")) socket.say(frame);
    }
    assert.equal(gateway.state, "open");
  });
}

test("a connection that is not welcomed is given up", async (t) => {
  const { gateway, socket, sockets, tick } = begin(t);
  socket.open();
  await tick(19_900);
  assert.equal(gateway.state, "connecting");
  await tick(300);
  assert.deepEqual([sockets.length, socket.closed], [2, 4000]);
});

// Coming back

for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 4000, 4001, 4002, 4003, 4199]) {
  test(`close code ${code} is followed by a new connection`, async (t) => {
    const client = opened(t);
    client.socket.cut(code, "why");
    const { state, attempt, delay, reason } = client.states.at(-1);
    assert.deepEqual([state, attempt, delay, reason], ["waiting", 1, 100, "why"]);
    await client.tick(100);
    assert.equal(client.sockets.length, 2);
    client.socket.welcome();
    assert.equal(client.gateway.state, "open");
  });
}

for (const [code, status] of [
  [1002, "UNAVAILABLE"],
  [1007, "UNAVAILABLE"],
  [4205, "UNAVAILABLE"],
  [4400, "UNAVAILABLE"],
  [4401, "UNAUTHENTICATED"],
  [4403, "PERMISSION_DENIED"],
  [4408, "UNAVAILABLE"],
  [4409, "UNAVAILABLE"],
  [4413, "UNAVAILABLE"],
  [4429, "RESOURCE_EXHAUSTED"],
]) {
  test(`close code ${code} is the end, and calls fail with ${status}`, async (t) => {
    const client = opened(t);
    const open = client.gateway.stream(METHOD);
    client.socket.cut(code, "because");
    await client.tick(60_000);
    assert.deepEqual([client.gateway.state, client.sockets.length], ["closed", 1]);
    const error = await now(client.gateway.call(METHOD));
    assert.equal(error.status, status);
    assert.match(error.message, new RegExp(`${code} because`));
    assert.ok(["UNAVAILABLE", status].includes((await open.status).status));
  });
}

test("what is no frame ends the connection for good", (t) => {
  const { gateway, socket } = opened(t);
  socket.onmessage({ data: "<html>" });
  assert.deepEqual([gateway.state, socket.closed], ["closed", 4400]);
});

test("a lost socket ends its streams with UNAVAILABLE; calls that were not sent wait", async (t) => {
  const client = opened(t);
  const open = client.gateway.stream(METHOD);
  client.socket.say({ t: "message", id: 1, body: 1 });
  client.socket.cut();
  const waiting = client.gateway.call(METHOD, { n: 2 });
  const { messages, error } = await all(open);
  assert.deepEqual([messages, error.status], [[1], "UNAVAILABLE"]);
  await client.tick(100);
  client.socket.welcome({ session: "0.s2" });
  const { id, body } = client.socket.take();
  assert.deepEqual([id, body], [2, { n: 2 }]);
  client.socket.say({ t: "message", id: 2, body: { ok: true } }, { t: "status", id: 2, code: 0 });
  assert.deepEqual(await waiting, { ok: true });
});

for (const [attempt, most] of [[0, 250], [1, 500], [2, 1000], [5, 8000], [7, 30_000], [99, 30_000]]) {
  test(`attempt ${attempt} waits up to ${most} ms`, (t) => {
    const random = t.mock.method(Math, "random", () => 0.999);
    assert.ok(fullJitter(attempt) > most * 0.99 && fullJitter(attempt) < most);
    random.mock.mockImplementation(() => 0);
    assert.equal(fullJitter(attempt), 0);
  });
}

test("attempts are counted until a connection has lasted some seconds", async (t) => {
  const attempts = [];
  const client = begin(t, { backoff: (attempt) => attempts.push(attempt) && 100 });
  for (let i = 0; i < 3; i++) {
    client.socket.cut();
    await client.tick(100);
  }
  client.socket.welcome();
  client.socket.cut();
  await client.tick(100);
  assert.deepEqual(attempts, [0, 1, 2, 3], "a welcome alone is not enough");
  client.socket.welcome();
  await client.tick(5000);
  client.socket.cut();
  assert.deepEqual(attempts, [0, 1, 2, 3, 0]);
});

test("reconnect leaves the socket for another one", async (t) => {
  const client = opened(t);
  client.gateway.reconnect();
  assert.deepEqual([client.socket.closed, client.gateway.state], [4000, "waiting"]);
  client.gateway.reconnect();
  assert.deepEqual([client.sockets.length, client.gateway.state], [2, "connecting"]);
});

test("each state is told", async (t) => {
  const client = begin(t);
  client.socket.welcome();
  client.socket.cut(4001, "slow");
  await client.tick(100);
  client.gateway.close();
  assert.deepEqual(
    client.states.map(({ state }) => state),
    ["open", "waiting", "connecting", "closed"],
  );
});

// Going away

test("after goaway old streams end on the old socket, new ones begin on another", async (t) => {
  const client = opened(t);
  const [old] = client.sockets;
  const stream = client.gateway.stream(METHOD);
  old.take();
  old.say({ t: "goaway", reason: "max_age", reconnect_ms: 700 });
  const { state, delay, reason } = client.states.at(-1);
  assert.deepEqual([state, delay, reason], ["waiting", 700, "max_age"]);
  const reply = client.gateway.call(METHOD);
  assert.deepEqual([old.take(), client.sockets.length], [[], 1]);
  await client.tick(700);
  client.socket.welcome({ session: "0.s2" });
  assert.equal(client.socket.take().id, 2);
  old.say({ t: "message", id: 1, body: "still here" });
  stream.send("me too");
  assert.deepEqual(old.take().body, "me too");
  assert.equal(old.closed, null);
  old.say({ t: "status", id: 1, code: 0 });
  assert.deepEqual(await all(stream), { messages: ["still here"], error: null });
  assert.equal(old.closed, 1000, "nothing is left there");
  client.socket.say({ t: "message", id: 2, body: 2 }, { t: "status", id: 2, code: 0 });
  assert.equal(await reply, 2);
});

test("streams of the old socket end with it, those of the new one live", async (t) => {
  const client = opened(t);
  const [old] = client.sockets;
  const first = client.gateway.stream(METHOD);
  old.say({ t: "goaway", reason: "draining", reconnect_ms: 0 });
  await client.tick(100);
  client.socket.welcome({ session: "0.s2" });
  const second = client.gateway.stream(METHOD);
  old.cut(4000);
  assert.equal((await first.status).status, "UNAVAILABLE");
  assert.equal(await now(second.status), "pending");
  assert.deepEqual([client.sockets.length, client.gateway.state], [2, "open"]);
});

test("a socket without streams is left when its successor is dialled", async (t) => {
  const client = opened(t);
  const [old] = client.sockets;
  old.say({ t: "goaway", reason: "max_age", reconnect_ms: 100 });
  assert.equal(old.closed, null);
  await client.tick(100);
  assert.equal(old.closed, 1000);
});

test("a socket that breaks after goaway does not shorten or lengthen the wait", async (t) => {
  const client = opened(t);
  client.socket.say({ t: "goaway", reason: "draining", reconnect_ms: 500 });
  client.socket.cut(4000);
  await client.tick(400);
  assert.equal(client.sockets.length, 1);
  await client.tick(200);
  assert.equal(client.sockets.length, 2);
});

// The end

test("close ends all with CANCELLED, and leaves no timer", async (t) => {
  const client = opened(t);
  const stream = client.gateway.stream(METHOD, { timeout: 5000 });
  const taken = client.gateway.auth("t");
  assert.ok(client.running.size > 0);
  client.gateway.close();
  assert.equal(client.running.size, 0);
  assert.equal((await stream.status).status, "CANCELLED");
  assert.equal((await now(taken)).status, "CANCELLED");
  assert.equal((await now(client.gateway.call(METHOD))).status, "CANCELLED");
  assert.equal((await now(client.gateway.auth("t"))).status, "CANCELLED");
  assert.equal(client.socket.closed, 1000);
  client.socket.cut(1000);
  client.gateway.reconnect();
  await client.tick(120_000);
  assert.deepEqual([client.gateway.state, client.sockets.length], ["closed", 1]);
});

test("close while waiting dials no more", async (t) => {
  const client = opened(t);
  client.socket.cut();
  client.gateway.close();
  assert.equal(client.running.size, 0);
  await client.tick(1000);
  assert.equal(client.sockets.length, 1);
});

test("close before a token was told dials no more", async (t) => {
  const { gateway, sockets } = begin(t, { token: () => settled() });
  gateway.close();
  await settled();
  await settled();
  assert.equal(sockets.length, 0);
});

for (const when of ["before", "after"]) {
  test(`a signal that is aborted ${when} connecting closes`, (t) => {
    const controller = new AbortController();
    if (when === "before") controller.abort();
    const { gateway, socket } = begin(t, { signal: controller.signal });
    controller.abort();
    assert.deepEqual([gateway.state, socket.closed], ["closed", 1000]);
  });
}
