// How fast streams are opened: no faster than the gateway takes them, wherever they come from.
import assert from "node:assert/strict";
import { test } from "node:test";

import { randomOf } from "./model.mjs";
import { begin, LIMITS, METHOD, now, opened } from "./sockets.mjs";

const limits = (opens) => ({ ...LIMITS, streams: 1000, opens });

const count = (n, act) => Array.from({ length: n }, (_, i) => act(i));

/** The ids that were opened since the last look. */
function ids(socket) {
  return [socket.take()].flat().filter((frame) => frame.t === "open").map(({ id }) => id);
}

/** The gateway's count: a bucket with a second's worth, or one; false where an open is refused. */
function bucket(rate) {
  let there = Math.max(rate, 1);
  let last = 0;
  return (ms) => {
    there = Math.min(Math.max(rate, 1), there + ((ms - last) * rate) / 1000);
    last = ms;
    if (there < 1 - 1e-6) return false;
    there -= 1;
    return true;
  };
}

for (const [rate, calls, seconds] of [
  [0.5, 6, 12], // one at once: nothing makes good what a late one loses
  [1, 10, 12],
  [1.5, 15, 10],
  [3, 30, 10],
  [20, 300, 15],
  [1000, 1000, 1],
]) {
  test(`${calls} calls at ${rate} a second are all taken, though they arrive unevenly`, async (t) => {
    const client = opened(t, { welcome: { limits: limits(rate) } });
    const random = randomOf(rate);
    const takes = bucket(rate);
    count(calls, () => client.gateway.stream(METHOD));
    let arrived = 0;
    let last = 0;
    for (let ms = 0; arrived < calls; ms += 50) {
      assert.ok(ms <= seconds * 1000, `${arrived} were sent by ${ms} ms`);
      for (const id of ids(client.socket)) {
        // Up to 250 ms later than the fastest, and never before the one ahead of it.
        last = Math.max(last, ms + random() * 250);
        assert.ok(takes(last), `call ${id}, at ${last} ms`);
        arrived += 1;
      }
      await client.tick(50);
    }
  });
}

test("after a reconnection, hundreds of waiting calls are opened at the gateway's pace", async (t) => {
  const client = opened(t, { welcome: { limits: limits(20) } });
  client.socket.cut();
  const streams = count(300, () => client.gateway.stream(METHOD));
  await client.tick(100);
  client.socket.welcome({ session: "0.s2", limits: limits(20) });
  assert.deepEqual(ids(client.socket), count(15, (i) => i + 1), "at once, less than 20");
  await client.tick(1000);
  assert.equal(ids(client.socket).length, 20);
  await client.tick(13_300);
  assert.equal(ids(client.socket).at(-1), 300);
  assert.ok(streams.every(({ credit }) => credit.send === LIMITS.credit));
});

test("a gateway that names no pace has none", (t) => {
  const { gateway, socket } = opened(t, { welcome: { limits: limits(undefined) } });
  count(500, () => gateway.stream(METHOD));
  assert.equal(ids(socket).length, 500);
});

test("each socket has a second's worth of its own", async (t) => {
  const client = opened(t, { welcome: { limits: limits(1) } });
  count(3, () => client.gateway.stream(METHOD));
  assert.deepEqual(ids(client.socket), [1]);
  client.socket.cut();
  await client.tick(100);
  client.socket.welcome({ session: "0.s2", limits: limits(1) });
  assert.deepEqual(ids(client.socket), [2]);
});

test("a call that waits for its turn may be cancelled, aborted, or late: it is never sent", async (t) => {
  const client = opened(t, { welcome: { limits: limits(1) } });
  const controller = new AbortController();
  const { gateway, socket } = client;
  gateway.stream(METHOD);
  const cancelled = gateway.stream(METHOD);
  const aborted = gateway.stream(METHOD, { signal: controller.signal });
  const late = gateway.stream(METHOD, { timeout: 500 });
  const patient = gateway.stream(METHOD, { timeout: 5000 });
  assert.deepEqual(ids(socket), [1]);
  cancelled.cancel();
  controller.abort();
  await client.tick(600);
  assert.equal((await cancelled.status).status, "CANCELLED");
  assert.equal((await aborted.status).status, "CANCELLED");
  assert.equal((await late.status).status, "DEADLINE_EXCEEDED");
  await client.tick(700);
  const { id, timeout_ms } = socket.take();
  assert.deepEqual([id, timeout_ms], [patient.id, 3700]);
});

test("what is said to a call that waits for its turn goes out behind its open", async (t) => {
  const client = opened(t, { welcome: { limits: limits(1) } });
  client.gateway.stream(METHOD);
  const stream = client.gateway.stream(METHOD, { body: 0 });
  const sent = stream.send(1);
  stream.end();
  client.socket.take();
  assert.equal(await now(sent), "pending");
  await client.tick(1300);
  assert.deepEqual(client.socket.take().map(({ t, body, end }) => [t, body, end]), [
    ["open", 0, undefined],
    ["message", 1, true],
  ]);
  await sent;
});

test("a connection that is closed opens nothing more, and leaves no timer", async (t) => {
  const client = opened(t, { welcome: { limits: limits(1) } });
  count(2, () => client.gateway.stream(METHOD));
  client.socket.take();
  client.gateway.close();
  assert.equal(client.running.size, 0);
  await client.tick(3000);
  assert.deepEqual(ids(client.socket), []);
});

// Opens that never arrived, of a session that is resumed

const SESSION = { session: "0.s1", resume_ms: 30_000 };

/** Streams that were opened and have said two messages, of which the gateway has seen nothing. */
async function unseen(t, { rate, streams }) {
  const client = begin(t, { resume: true });
  client.socket.welcome({ ...SESSION, limits: limits(rate) });
  client.streams = count(streams, () => client.gateway.stream(METHOD, { body: 0 }));
  for (const stream of client.streams) count(2, (i) => stream.send(i + 1));
  return client;
}

async function back(client, welcome) {
  client.socket.cut();
  await client.tick(100);
  return client.socket.welcome({ ...SESSION, resumed: [], last_id: 0, ...welcome });
}

test("they are opened anew at the pace, each with its messages behind it", async (t) => {
  const client = await unseen(t, { rate: 20, streams: 30 });
  await client.tick(1000);
  assert.equal(ids(client.socket).length, 30);
  client.socket.cut();
  client.gateway.stream(METHOD);
  await back(client, { limits: limits(20) });
  const frames = client.socket.take();
  const opens = frames.filter(({ t: kind }) => kind === "open");
  assert.deepEqual(opens.map(({ id }) => id), count(15, (i) => i + 1));
  assert.deepEqual(
    frames.slice(0, 3).map(({ t: kind, id, seq, body }) => [kind, id, seq, body]),
    [["open", 1, undefined, 0], ["message", 1, 1, 1], ["message", 1, 2, 2]],
  );
  await client.tick(1000);
  assert.deepEqual(ids(client.socket), count(16, (i) => i + 16), "the later one is the last");
});

test("what is said meanwhile waits for the open, and is numbered from 1", async (t) => {
  const client = await unseen(t, { rate: 1, streams: 1 });
  await client.tick(1300);
  const stream = client.gateway.stream(METHOD);
  stream.send("a");
  await back(client, { limits: limits(1) });
  assert.deepEqual(ids(client.socket), [1]);
  stream.send("b");
  stream.end();
  assert.deepEqual(client.socket.take(), []);
  await client.tick(1300);
  const [open, ...messages] = client.socket.take();
  assert.deepEqual([open.t, open.id], ["open", 2]);
  assert.deepEqual(messages.map(({ seq, body, end }) => [seq, body, end]), [
    [1, "a", undefined],
    [2, "b", true],
  ]);
});

test("one that is left before its turn is not sent, and not named", async (t) => {
  const client = await unseen(t, { rate: 1, streams: 1 });
  await client.tick(1300);
  const stream = client.gateway.stream(METHOD);
  await back(client, { limits: limits(1) });
  client.socket.take();
  stream.cancel();
  await client.tick(1300);
  assert.deepEqual(client.socket.take(), []);
  assert.deepEqual((await back(client)).seen, { 1: 0 });
});

test("one that is left between hello and welcome is not opened anew", async (t) => {
  const client = await unseen(t, { rate: 20, streams: 2 });
  client.socket.cut();
  await client.tick(100);
  client.socket.open();
  client.socket.take();
  client.streams[0].cancel();
  const welcome = { t: "welcome", ping_ms: 25_000, resumed: [], last_id: 0, limits: limits(20) };
  client.socket.say({ ...welcome, ...SESSION });
  assert.deepEqual(ids(client.socket), [2]);
});

test("one that waits for its turn outlives a session that is gone", async (t) => {
  const client = await unseen(t, { rate: 1, streams: 1 });
  await client.tick(1300);
  const stream = client.gateway.stream(METHOD);
  stream.send("a");
  await back(client, { limits: limits(1) });
  await back(client, { session: "1.s2", lost: [1], limits: limits(1) });
  assert.equal((await client.streams[0].status).status, "UNAVAILABLE");
  assert.deepEqual(
    client.socket.take().map(({ t: kind, id, seq, body }) => [kind, id, seq, body]),
    [["open", 2, undefined, undefined], ["message", 2, 1, "a"]],
  );
});
