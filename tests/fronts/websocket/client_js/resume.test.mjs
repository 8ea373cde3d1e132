// Resuming: what is said upon the next socket, so that streams go on.
import assert from "node:assert/strict";
import { test } from "node:test";

import { all, LIMITS, METHOD, now, opened } from "./sockets.mjs";

const SESSION = { session: "0.s1", resume_ms: 30_000 };

function resuming(t, welcome = {}) {
  return opened(t, { resume: true, welcome: { ...SESSION, ...welcome } });
}

/** Cuts the socket; the next one is open, and its hello was taken. */
async function cut(client) {
  client.socket.cut();
  await client.tick(100);
  client.socket.open();
  return client.socket.take();
}

function welcomeBack(client, more) {
  client.socket.say({ t: "welcome", ping_ms: 25_000, limits: LIMITS, ...SESSION, ...more });
}

test("without a session that can be resumed nothing is numbered or acknowledged", async (t) => {
  const client = opened(t, { resume: true });
  const stream = client.gateway.stream(METHOD, { credit: 2 });
  stream.send(1);
  client.socket.say({ t: "message", id: 1, body: "a" }, { t: "status", id: 1, code: 0 });
  assert.deepEqual((await all(stream)).messages, ["a"]);
  assert.deepEqual(client.socket.take().slice(1), [{ t: "message", id: 1, body: 1 }]);
  client.socket.cut();
  await client.tick(100);
  client.socket.open();
  assert.deepEqual(client.socket.take(), { t: "hello", features: ["resume"] });
});

test("messages are numbered from 1; open is not", (t) => {
  const { gateway, socket } = resuming(t);
  const stream = gateway.stream(METHOD, { body: 0 });
  stream.send("a");
  stream.send("b");
  stream.end();
  const [open, ...messages] = socket.take();
  assert.equal(open.seq, undefined);
  assert.deepEqual(messages, [
    { t: "message", id: 1, seq: 1, body: "a" },
    { t: "message", id: 1, seq: 2, body: "b" },
    { t: "message", id: 1, seq: 3, end: true },
  ]);
});

test("credit says what has come, and so is a status acknowledged", async (t) => {
  const { gateway, socket } = resuming(t);
  const stream = gateway.stream(METHOD, { credit: 2 });
  const reader = stream[Symbol.asyncIterator]();
  socket.take();
  socket.say({ t: "headers", id: 1, seq: 1 }, { t: "message", id: 1, seq: 2, body: "a" });
  await reader.next();
  assert.deepEqual(socket.take(), { t: "credit", id: 1, n: 1, seq: 2 });
  socket.say({ t: "status", id: 1, seq: 3, code: 0 });
  assert.deepEqual(socket.take(), { t: "credit", id: 1, n: 0, seq: 3 });
});

test("what has come is acknowledged before it is much, whoever takes it", async (t) => {
  const { gateway, socket } = resuming(t);
  for (let i = 0; i < 3; i++) gateway.stream(METHOD);
  socket.take();
  const body = "a".repeat(100 * 1024);
  for (const [id, seq] of [[1, 1], [2, 1]]) socket.say({ t: "message", id, seq, body });
  assert.deepEqual(socket.take(), []);
  socket.say({ t: "message", id: 1, seq: 2, body });
  assert.deepEqual(socket.take(), [
    { t: "credit", id: 1, n: 0, seq: 2 },
    { t: "credit", id: 2, n: 0, seq: 1 },
  ]);
});

test("hello names the session, what has come, and what was granted", async (t) => {
  const client = resuming(t);
  const [one] = [1, 2].map(() => client.gateway.stream(METHOD, { credit: 2 }));
  client.socket.say({ t: "message", id: 1, seq: 1, body: "a" });
  await one[Symbol.asyncIterator]().next();
  assert.deepEqual(await cut(client), {
    t: "hello",
    features: ["resume"],
    session: "0.s1",
    seen: { 1: 1, 2: 0 },
    granted: { 1: 3, 2: 2 },
  });
});

test("what the gateway has not seen is sent again, and the rest goes on", async (t) => {
  const client = resuming(t);
  const stream = client.gateway.stream(METHOD);
  for (const body of ["a", "b", "c"]) stream.send(body);
  client.socket.say({ t: "credit", id: 1, n: 0, seq: 1 });
  client.socket.take();
  await cut(client);
  stream.send("d");
  assert.deepEqual(client.socket.take(), [], "not before welcome");
  welcomeBack(client, { resumed: [{ id: 1, seq: 2, granted: 4 }], last_id: 1 });
  assert.deepEqual(
    client.socket.take().map(({ seq, body }) => [seq, body]),
    [[3, "c"], [4, "d"]],
  );
  assert.equal(client.states.at(-1).resumed, true);
});

/** Two streams, the first of which has filled what both may send; the other one waits. */
function sharing(t) {
  const limits = { ...LIMITS, session_buffer: 50 };
  const client = resuming(t, { limits });
  const streams = [client.gateway.stream(METHOD), client.gateway.stream(METHOD)];
  streams[0].send("x".repeat(48));
  const waits = streams[1].send("y".repeat(40));
  assert.equal(client.socket.take().length, 3);
  return { ...client, client, streams, waits, limits };
}

const there = (id, more) => ({ id, seq: 0, granted: 4, ...more });
const kinds = (frames) => [frames].flat().map(({ t: kind, id }) => [kind, id]);

test("what streams share is still on the way where the gateway has not granted it", async (t) => {
  const { client, waits, limits } = sharing(t);
  await cut(client);
  welcomeBack(client, { limits, resumed: [there(1, { seq: 1 }), there(2)], last_id: 2 });
  assert.equal(await now(waits), "pending");
  assert.deepEqual(client.socket.take(), []);
});

for (const [what, resumed] of [
  ["by a grant that was lost", [there(1, { seq: 1, granted: 5 }), there(2)]],
  ["by a stream that was lost", [there(2)]],
]) {
  test(`what streams share is free ${what}`, async (t) => {
    const { client, waits, limits } = sharing(t);
    await cut(client);
    welcomeBack(client, { limits, resumed, last_id: 2 });
    assert.equal(await now(waits), undefined);
    assert.deepEqual(kinds(client.socket.take()), [["message", 2]]);
  });
}

test("a stream that is left after hello is cancelled before others use its bytes", async (t) => {
  const limits = { ...LIMITS, session_buffer: 50 };
  const client = resuming(t, { limits });
  const [waiting, full] = [client.gateway.stream(METHOD), client.gateway.stream(METHOD)];
  full.send("x".repeat(48));
  const sent = waiting.send("y".repeat(40));
  await cut(client);
  full.cancel();
  assert.equal(await now(sent), undefined);
  welcomeBack(client, { limits, resumed: [there(1), there(2, { seq: 1 })], last_id: 2 });
  assert.deepEqual(kinds(client.socket.take()), [["cancel", 2], ["message", 1]]);
});

test("what an open that never arrived had sent is not on the way until it is opened", async (t) => {
  const { client, streams, waits, limits } = sharing(t);
  await cut(client);
  welcomeBack(client, { limits, last_id: 0 });
  assert.deepEqual(kinds(client.socket.take()), [["open", 1], ["message", 1], ["open", 2]]);
  assert.equal(await now(waits), "pending");
  streams[0].cancel();
  assert.equal(await now(waits), undefined);
});

test("grants that were lost are made good by what was granted in all", async (t) => {
  const client = resuming(t);
  const stream = client.gateway.stream(METHOD);
  for (const body of [1, 2, 3, 4, 5, 6]) stream.send(body);
  assert.equal(client.socket.take().length, 5);
  await cut(client);
  welcomeBack(client, { resumed: [{ id: 1, seq: 4, granted: 7 }], last_id: 1 });
  assert.deepEqual(client.socket.take().map(({ body }) => body), [5, 6]);
  assert.equal(stream.credit.send, 1);
});

test("messages that are taken between hello and welcome are granted after it", async (t) => {
  const client = resuming(t);
  const stream = client.gateway.stream(METHOD, { credit: 1 });
  client.socket.say({ t: "message", id: 1, seq: 1, body: "a" });
  const hello = await cut(client);
  assert.deepEqual(hello.granted, { 1: 1 });
  await stream[Symbol.asyncIterator]().next();
  welcomeBack(client, { resumed: [{ id: 1, seq: 0, granted: 4 }], last_id: 1 });
  assert.deepEqual(client.socket.take(), { t: "credit", id: 1, n: 1, seq: 1 });
});

test("frames that come again are dropped", async (t) => {
  const client = resuming(t);
  const stream = client.gateway.stream(METHOD);
  client.socket.say({ t: "message", id: 1, seq: 1, body: "a" });
  await cut(client);
  welcomeBack(client, { resumed: [{ id: 1, seq: 0, granted: 4 }], last_id: 1 });
  client.socket.say(
    { t: "message", id: 1, seq: 1, body: "a" },
    { t: "message", id: 1, seq: 2, body: "b" },
    { t: "status", id: 1, seq: 3, code: 0 },
  );
  assert.deepEqual(await all(stream), { messages: ["a", "b"], error: null });
});

test("a frame that is missing ends the stream: it would be lost silently", async (t) => {
  const { gateway, socket } = resuming(t);
  const stream = gateway.stream(METHOD);
  socket.say({ t: "message", id: 1, seq: 2, body: "b" });
  const { messages, error } = await all(stream);
  assert.deepEqual([messages, error.status], [[], "INTERNAL"]);
});

test("an open that never arrived is sent again, with all behind it", async (t) => {
  const client = resuming(t);
  client.gateway.stream(METHOD);
  const stream = client.gateway.stream(METHOD, { body: "open", timeout: 10_000 });
  stream.send("a");
  await cut(client);
  welcomeBack(client, { resumed: [{ id: 1, seq: 0, granted: 4 }], last_id: 1 });
  const [open, message] = client.socket.take();
  assert.deepEqual([open.t, open.id, open.body, open.timeout_ms], ["open", 2, "open", 9900]);
  assert.deepEqual([message.seq, message.body], [1, "a"]);
});

test("a lost stream ends with UNAVAILABLE, the others go on", async (t) => {
  const client = resuming(t);
  const [one, two] = [client.gateway.stream(METHOD), client.gateway.stream(METHOD)];
  await cut(client);
  welcomeBack(client, { resumed: [{ id: 2, seq: 0, granted: 4 }], lost: [1], last_id: 2 });
  assert.equal((await one.status).status, "UNAVAILABLE");
  assert.equal(await now(two.status), "pending");
});

test("a session that is gone loses its streams; calls that were not sent go on", async (t) => {
  const client = resuming(t, { limits: { ...LIMITS, streams: 1 } });
  const [one, two] = [client.gateway.stream(METHOD), client.gateway.stream(METHOD)];
  await cut(client);
  welcomeBack(client, { session: "1.s2", lost: [1] });
  assert.equal((await one.status).status, "UNAVAILABLE");
  assert.equal(await now(two.status), "pending");
  assert.deepEqual(client.socket.take().id, 2);
  assert.equal((await cut(client)).session, "1.s2");
});

for (const when of ["before", "after"]) {
  test(`a stream that is left ${when} hello is cancelled by it or after it`, async (t) => {
    const client = resuming(t);
    const stream = client.gateway.stream(METHOD);
    if (when === "before") {
      client.socket.cut();
      stream.cancel();
      await client.tick(100);
      client.socket.open();
      assert.deepEqual(client.socket.take().seen, {});
    } else {
      assert.deepEqual((await cut(client)).seen, { 1: 0 });
      stream.cancel();
      welcomeBack(client, { resumed: [{ id: 1, seq: 0, granted: 4 }], last_id: 1 });
      assert.deepEqual(client.socket.take(), { t: "cancel", id: 1 });
    }
    assert.equal((await stream.status).status, "CANCELLED");
  });
}

test("a stream whose status has come is not named again", async (t) => {
  const client = resuming(t);
  client.gateway.stream(METHOD);
  client.socket.say({ t: "status", id: 1, seq: 1, code: 0 });
  assert.deepEqual((await cut(client)).seen, {});
});

test("messages wait for credit while the socket is away, and are not lost", async (t) => {
  const client = resuming(t);
  const stream = client.gateway.stream(METHOD);
  client.socket.take();
  client.socket.cut();
  const sends = [1, 2, 3, 4, 5].map((n) => stream.send(n));
  assert.equal(await now(sends[3]), undefined, "by the credit there is");
  assert.equal(await now(sends[4]), "pending");
  await client.tick(100);
  client.socket.open();
  client.socket.take();
  welcomeBack(client, { resumed: [{ id: 1, seq: 0, granted: 4 }], last_id: 1 });
  assert.deepEqual(client.socket.take().map(({ body }) => body), [1, 2, 3, 4]);
  client.socket.say({ t: "credit", id: 1, n: 1, seq: 1 });
  assert.deepEqual(client.socket.take().body, 5);
});

test("after goaway the session moves: hello takes it from the old socket", async (t) => {
  const client = resuming(t);
  const [old] = client.sockets;
  const stream = client.gateway.stream(METHOD);
  old.say({ t: "goaway", reason: "max_age", reconnect_ms: 100 });
  await client.tick(100);
  stream.send("a");
  old.say({ t: "message", id: 1, seq: 1, body: "x" });
  assert.equal(old.take().at(-1).body, "a", "make before break");
  client.socket.open();
  assert.deepEqual(client.socket.take().seen, { 1: 1 });
  old.say({ t: "message", id: 1, seq: 2, body: "y" }, { t: "credit", id: 1, n: 9 });
  assert.equal(stream.received, 1, "the old one is not listened to any more");
  welcomeBack(client, { resumed: [{ id: 1, seq: 1, granted: 5 }], last_id: 1 });
  client.socket.say({ t: "message", id: 1, seq: 2, body: "y" });
  assert.deepEqual([stream.received, stream.credit.send, old.closed], [2, 4, 4000]);
});

test("a successor that fails leaves the session to the next one", async (t) => {
  const client = resuming(t);
  const stream = client.gateway.stream(METHOD);
  client.socket.say({ t: "goaway", reason: "max_age", reconnect_ms: 100 });
  await client.tick(100);
  client.socket.open();
  assert.deepEqual((await cut(client)).seen, { 1: 0 });
  welcomeBack(client, { resumed: [{ id: 1, seq: 0, granted: 4 }], last_id: 1 });
  client.socket.say({ t: "status", id: 1, seq: 1, code: 0 });
  assert.equal((await stream.status).status, "OK");
});
