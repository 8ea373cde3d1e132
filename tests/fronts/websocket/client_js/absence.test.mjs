// Where there is no connection: what calls are told, and when nothing more is tried.
import assert from "node:assert/strict";
import { test } from "node:test";

import { begin, METHOD, now, opened } from "./sockets.mjs";

/** Ends an attempt as the package `ws` does: with an error that says why, then the close. */
function fail(socket, message) {
  const error = new Error(message);
  socket.onerror({ type: "error", error, message });
  socket.cut();
  return error;
}

/** The error that a call ends with; a rejection that comes before it is looked at is no accident. */
function errorOf(reply) {
  return reply.then(() => assert.fail("it succeeded"), (error) => error);
}

const answered = (status) => `Unexpected server response: ${status}`;

test("a call that is late before there was a connection is UNAVAILABLE", async (t) => {
  const client = begin(t);
  const told = errorOf(client.gateway.call(METHOD, {}, { timeout: 300 }));
  await client.tick(300);
  const { status, message, cause } = await told;
  assert.deepEqual([status, message, cause], ["UNAVAILABLE", "There is no connection.", undefined]);
});

test("it is told the last close that is known", async (t) => {
  const client = begin(t);
  const told = errorOf(client.gateway.call(METHOD, {}, { timeout: 300 }));
  client.socket.cut(1006);
  await client.tick(100);
  client.socket.cut(4000, "draining");
  await client.tick(200);
  const { status, message, cause } = await told;
  assert.equal(status, "UNAVAILABLE");
  assert.match(message, /^There is no connection: .*4000 draining/);
  assert.match(cause.message, /4000 draining/);
});

test("or the error, where the class of the socket tells one", async (t) => {
  const client = begin(t);
  const told = errorOf(client.gateway.call(METHOD, {}, { timeout: 100 }));
  const error = fail(client.socket, "connect ECONNREFUSED 127.0.0.1:1");
  assert.equal(client.states.at(-1).reason, error.message);
  await client.tick(100);
  const { message, cause } = await told;
  assert.match(message, /ECONNREFUSED/);
  assert.equal(cause, error);
});

test("or its code, where the error has no message", async (t) => {
  const client = begin(t);
  const told = errorOf(client.gateway.call(METHOD, {}, { timeout: 100 }));
  // As Node says it of a name with two addresses.
  client.socket.onerror({ error: Object.assign(new AggregateError([]), { code: "ECONNREFUSED" }) });
  client.socket.cut();
  assert.equal(client.states.at(-1).reason, "ECONNREFUSED");
  await client.tick(100);
  assert.equal((await told).message, "There is no connection: ECONNREFUSED.");
});

test("or what the function for the token threw", async (t) => {
  const error = new Error("no token server");
  const client = begin(t, { token: async () => { throw error; } });
  const told = errorOf(client.gateway.call(METHOD, {}, { timeout: 100 }));
  assert.equal(await now(told), "pending", "another attempt may succeed");
  await client.tick(100);
  const { status, cause } = await told;
  assert.deepEqual([status, cause], ["UNAVAILABLE", error]);
});

test("with a connection, a call that waits too long for its turn is DEADLINE_EXCEEDED", async (t) => {
  const limits = { streams: 1, message_size: 99, credit: 1, buffer: 99 };
  const client = opened(t, { welcome: { limits } });
  client.gateway.stream(METHOD);
  const { status } = client.gateway.stream(METHOD, { timeout: 100 });
  await client.tick(100);
  assert.equal((await status).status, "DEADLINE_EXCEEDED");
});

test("what was known of an earlier break is forgotten with the welcome", async (t) => {
  const client = begin(t);
  client.socket.cut(1006);
  await client.tick(100);
  client.socket.welcome();
  client.socket.say({ t: "goaway", reason: "max_age", reconnect_ms: 60_000 });
  const { status } = client.gateway.stream(METHOD, { timeout: 100 });
  await client.tick(100);
  assert.equal((await status).message, "There is no connection.");
});

for (const [http, status] of [
  [200, "UNAVAILABLE"],
  [301, "UNAVAILABLE"],
  [400, "UNAVAILABLE"],
  [401, "UNAUTHENTICATED"],
  [403, "PERMISSION_DENIED"],
  [404, "UNAVAILABLE"],
]) {
  test(`a handshake that is answered with ${http} is refused: calls fail with ${status}`, async (t) => {
    const client = begin(t);
    const waiting = errorOf(client.gateway.call(METHOD));
    const error = fail(client.socket, answered(http));
    await client.tick(60_000);
    assert.deepEqual([client.gateway.state, client.sockets.length], ["closed", 1]);
    assert.equal(client.states.at(-1).code, http);
    for (const told of [waiting, errorOf(client.gateway.call(METHOD))]) {
      const { status: name, message, cause } = await told;
      assert.deepEqual([name, cause], [status, error]);
      assert.match(message, new RegExp(`${http}`));
    }
  });
}

for (const http of [408, 425, 429, 500, 502, 503]) {
  test(`a handshake that is answered with ${http} is tried again`, async (t) => {
    const client = begin(t);
    const { status } = client.gateway.stream(METHOD);
    fail(client.socket, answered(http));
    assert.equal(client.gateway.state, "waiting");
    await client.tick(100);
    assert.equal(client.sockets.length, 2);
    assert.equal(await now(status), "pending");
  });
}

test("a browser says nothing of a refused handshake: it is tried again", async (t) => {
  const client = begin(t);
  client.socket.onerror({ type: "error" });
  client.socket.cut();
  const { state, code, reason } = client.states.at(-1);
  assert.deepEqual([state, code, reason], ["waiting", 1006, ""]);
});
