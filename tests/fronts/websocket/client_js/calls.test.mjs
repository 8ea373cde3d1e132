// Calls and streams: what is sent for each, and how they end.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Code, RpcError } from "../../../../gateway/fronts/websocket/pages/client.js";
import { all, begin, METHOD, now, opened, settled } from "./sockets.mjs";

test("a call rides in one open, with its body and its end", async (t) => {
  const { gateway, socket } = opened(t);
  const reply = gateway.call(METHOD, { id: "1" }, { timeout: 2500, metadata: { "x-a": "1" } });
  assert.deepEqual(socket.take(), {
    t: "open",
    id: 1,
    method: METHOD,
    metadata: [["x-a", "1"]],
    timeout_ms: 2500,
    credit: 3,
    body: { id: "1" },
    end: true,
  });
  socket.say({ t: "message", id: 1, body: { title: "Tea" } });
  assert.equal(await now(reply), "pending", "the status has not come");
  socket.say({ t: "status", id: 1, code: 0, status: "OK" });
  assert.deepEqual(await reply, { title: "Tea" });
  assert.deepEqual(socket.take(), [], "a unary call grants nothing more");
});

test("metadata may be pairs, an object, or bytes", (t) => {
  const { gateway, socket } = opened(t);
  const given = [["a", "1"], ["a", "2"], ["b-bin", new Uint8Array([1, 255])]];
  gateway.stream(METHOD, { metadata: given });
  assert.deepEqual(socket.take().metadata, [["a", "1"], ["a", "2"], ["b-bin", "Af8="]]);
  gateway.stream(METHOD, { metadata: new Headers({ c: "3" }) });
  assert.deepEqual(socket.take().metadata, [["c", "3"]]);
});

test("an error has the status, its details and trailers", async (t) => {
  const { gateway, socket } = opened(t);
  const reply = now(gateway.call(METHOD));
  const details = [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "NONE" }];
  const end = { code: 5, status: "NOT_FOUND", message: "no such", details, trailers: [["k", "v"]] };
  socket.say({ t: "status", id: 1, ...end });
  const error = await reply;
  assert.ok(error instanceof RpcError);
  const { code, status, message, trailers } = error;
  assert.deepEqual({ code, status, message, details: error.details, trailers }, end);
});

for (const [what, count] of [["none", 0], ["two", 2]]) {
  test(`a call with ${what} where one message is due fails with INTERNAL`, async (t) => {
    const { gateway, socket } = opened(t);
    const reply = now(gateway.call(METHOD));
    for (let i = 0; i < count; i++) socket.say({ t: "message", id: 1, body: {} });
    if (count === 0) socket.say({ t: "status", id: 1, code: 0 });
    assert.equal((await reply).status, "INTERNAL");
  });
}

test("ids count up from 1", (t) => {
  const { gateway, socket } = opened(t);
  const ids = [1, 2, 3].map(() => gateway.stream(METHOD).id);
  assert.deepEqual(ids, [1, 2, 3]);
  assert.deepEqual(socket.take().map(({ id }) => id), [1, 2, 3]);
});

test("a stream gives headers, messages, and the status behind them", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD, { body: { room: "lobby" }, credit: 16 });
  assert.deepEqual(socket.take(), {
    t: "open",
    id: 1,
    method: METHOD,
    credit: 16,
    body: { room: "lobby" },
  });
  socket.say(
    { t: "headers", id: 1, metadata: [["x-room", "lobby"]] },
    { t: "message", id: 1, body: { n: 1 } },
    { t: "message", id: 1, body: { n: 2 } },
    { t: "status", id: 1, code: 0, trailers: [["x-t", "1"]] },
  );
  assert.deepEqual(await stream.headers, [["x-room", "lobby"]]);
  const status = { code: 0, status: "OK", message: "", details: [], trailers: [["x-t", "1"]] };
  assert.deepEqual(await stream.status, status, "before the messages were taken");
  assert.deepEqual(await all(stream), { messages: [{ n: 1 }, { n: 2 }], error: null });
});

test("messages that came before an error are given before it", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD);
  socket.say({ t: "message", id: 1, body: 1 }, { t: "status", id: 1, code: 14, message: "gone" });
  const { messages, error } = await all(stream);
  assert.deepEqual([messages, error.code, error.message], [[1], Code.UNAVAILABLE, "gone"]);
  assert.equal((await stream.status).code, Code.UNAVAILABLE);
});

for (const [what, frame] of [
  ["the first message", { t: "message", id: 1, body: {} }],
  ["the status", { t: "status", id: 1, code: 5 }],
]) {
  test(`headers that never come are empty by ${what}`, async (t) => {
    const { gateway, socket } = opened(t);
    const { headers } = gateway.stream(METHOD);
    assert.equal(await now(headers), "pending");
    socket.say(frame);
    assert.deepEqual(await headers, []);
  });
}

test("end rides with the last message that waits", async (t) => {
  const { gateway, socket } = opened(t, {
    welcome: { limits: { streams: 1, message_size: 99, credit: 1, buffer: 99 } },
  });
  const stream = gateway.stream(METHOD);
  stream.send({ n: 1 });
  stream.send({ n: 2 });
  stream.end();
  assert.deepEqual(socket.take().slice(1), [{ t: "message", id: 1, body: { n: 1 } }]);
  socket.say({ t: "credit", id: 1, n: 1 });
  assert.deepEqual(socket.take(), { t: "message", id: 1, body: { n: 2 }, end: true });
});

test("end needs no credit, and is said once", (t) => {
  const { gateway, socket } = opened(t, {
    welcome: { limits: { streams: 1, message_size: 99, credit: 1, buffer: 99 } },
  });
  const stream = gateway.stream(METHOD);
  stream.send({ n: 1 });
  socket.take();
  stream.end();
  stream.end();
  assert.deepEqual(socket.take(), { t: "message", id: 1, end: true });
  assert.throws(() => stream.send({}), TypeError);
});

test("an open with the end takes no further message", (t) => {
  const { gateway } = opened(t);
  assert.throws(() => gateway.stream(METHOD, { body: {}, end: true }).send({}), TypeError);
});

// Leaving

test("cancel ends a stream at once, and tells the gateway", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD);
  socket.take();
  socket.say({ t: "message", id: 1, body: 1 });
  stream.cancel();
  assert.deepEqual(socket.take(), { t: "cancel", id: 1 });
  const { messages, error } = await all(stream);
  assert.deepEqual([messages, error.status], [[], "CANCELLED"]);
});

test("a status that crosses with a cancel changes nothing", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD);
  stream.cancel();
  socket.say({ t: "message", id: 1, body: 1 }, { t: "status", id: 1, code: 0 });
  assert.equal((await stream.status).status, "CANCELLED");
  socket.take();
  stream.cancel();
  assert.deepEqual(socket.take(), [], "there is nothing left to cancel");
});

test("a cancel after the status changes nothing", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD);
  socket.say({ t: "message", id: 1, body: 1 }, { t: "status", id: 1, code: 0 });
  socket.take();
  stream.cancel();
  assert.equal((await stream.status).status, "OK");
  assert.deepEqual(socket.take(), []);
});

test("leaving the loop cancels", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD);
  socket.take();
  socket.say({ t: "message", id: 1, body: 1 });
  for await (const message of stream) {
    assert.equal(message, 1);
    break;
  }
  assert.deepEqual(socket.take(), { t: "cancel", id: 1 });
  assert.equal((await stream.status).status, "CANCELLED");
});

test("leaving the loop at the end of the stream cancels nothing", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD);
  socket.say({ t: "status", id: 1, code: 0 });
  socket.take();
  assert.deepEqual(await all(stream), { messages: [], error: null });
  assert.deepEqual(socket.take(), []);
});

test("an aborted signal cancels, and is the cause", async (t) => {
  const { gateway, socket } = opened(t);
  const controller = new AbortController();
  const reply = now(gateway.call(METHOD, {}, { signal: controller.signal }));
  socket.take();
  controller.abort("enough");
  assert.deepEqual(socket.take(), { t: "cancel", id: 1 });
  const error = await reply;
  assert.deepEqual([error.status, error.cause], ["CANCELLED", "enough"]);
});

test("a signal that was aborted before has nothing sent", async (t) => {
  const { gateway, socket } = opened(t);
  const error = await now(gateway.call(METHOD, {}, { signal: AbortSignal.abort() }));
  assert.equal(error.status, "CANCELLED");
  assert.deepEqual(socket.take(), []);
  assert.deepEqual(gateway.streams, []);
});

test("a signal is let go when the call has ended", async (t) => {
  const { gateway, socket } = opened(t);
  const { signal } = new AbortController();
  const removed = t.mock.method(signal, "removeEventListener");
  gateway.stream(METHOD, { signal });
  socket.say({ t: "status", id: 1, code: 0 });
  assert.equal(removed.mock.callCount(), 1);
});

test("sends that wait when a stream ends are rejected, and nobody has to look", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD);
  const sends = [1, 2, 3, 4, 5].map((n) => stream.send({ n }));
  assert.equal(await now(sends[3]), undefined);
  socket.say({ t: "status", id: 1, code: 9, message: "closed" });
  const error = await now(sends[4]);
  assert.deepEqual([error.status, error.message], ["FAILED_PRECONDITION", "closed"]);
  assert.equal((await now(stream.send({}))).status, "FAILED_PRECONDITION");
});

// Time

test("the gateway keeps the deadline; where it is silent the client ends the call", async (t) => {
  const { gateway, socket, tick } = opened(t);
  const { status } = gateway.stream(METHOD, { timeout: 1000 });
  socket.take();
  await tick(2900);
  assert.equal(await now(status), "pending");
  await tick(200);
  assert.equal((await status).status, "DEADLINE_EXCEEDED");
  assert.deepEqual(socket.take(), { t: "cancel", id: 1 });
});

test("a call that was not sent is late in time, and what is left of the time is said", async (t) => {
  const { gateway, socket, tick } = begin(t);
  const late = gateway.stream(METHOD, { timeout: 1000 });
  const early = gateway.stream(METHOD, { timeout: 5000 });
  await tick(1100);
  assert.equal((await late.status).status, "UNAVAILABLE");
  socket.welcome();
  const { id, timeout_ms } = socket.take();
  assert.deepEqual([id, timeout_ms], [early.id, 3900]);
});

// What a gateway may say, and what comes too late

test("frames of streams that have ended, and of unknown kinds, are ignored", async (t) => {
  const { gateway, socket } = opened(t);
  gateway.stream(METHOD);
  socket.say({ t: "status", id: 1, code: 0 });
  socket.take();
  socket.say(
    { t: "message", id: 1, body: 1 },
    { t: "credit", id: 1, n: 1 },
    { t: "status", id: 1, code: 2 },
    { t: "message", id: 77, body: 1 },
    { t: "weather", sun: true },
    { t: "constructor" },
    ["no frame"],
    null,
  );
  assert.deepEqual([gateway.state, socket.take(), socket.closed], ["open", [], null]);
});

test("a ping is answered with its data", (t) => {
  const { socket } = opened(t);
  socket.say({ t: "ping", data: "a1" });
  assert.deepEqual(socket.take(), { t: "pong", data: "a1" });
});

test("no more streams are opened than the gateway allows; the others wait", async (t) => {
  const limits = { streams: 2, message_size: 99, credit: 1, buffer: 99 };
  const { gateway, socket } = opened(t, { welcome: { limits } });
  const streams = [1, 2, 3, 4].map(() => gateway.stream(METHOD));
  assert.deepEqual(socket.take().map(({ id }) => id), [1, 2]);
  streams[2].cancel();
  socket.say({ t: "status", id: 1, code: 0 });
  assert.equal(socket.take().id, 4, "the third was left before it was sent");
  streams[1].cancel();
  gateway.stream(METHOD);
  assert.deepEqual(socket.take(), { t: "cancel", id: 2 }, "its place is free with its status");
  socket.say({ t: "status", id: 2, code: 1 });
  assert.equal(socket.take().id, 5);
});

test("what waits for the connection is bounded", async (t) => {
  const { gateway } = begin(t);
  const streams = Array.from({ length: 1025 }, () => gateway.stream(METHOD));
  assert.equal((await streams[1024].status).status, "RESOURCE_EXHAUSTED");
  assert.equal(gateway.streams.length, 1024);
});

test("a page can watch streams come and go", async (t) => {
  const { gateway, socket } = opened(t);
  const seen = [];
  gateway.addEventListener("stream", ({ detail }) => seen.push([detail.stream.id, detail.ended]));
  const stream = gateway.stream(METHOD, { body: {}, credit: 8 });
  stream.send({});
  socket.say({ t: "message", id: 1, body: 1 });
  await settled();
  const [{ id, method, sent, received, credit }] = gateway.streams;
  assert.deepEqual(
    { id, method, sent, received, credit },
    { id: 1, method: METHOD, sent: 2, received: 1, credit: { send: 3, receive: 7 } },
  );
  socket.say({ t: "status", id: 1, code: 0 });
  assert.deepEqual(seen, [[1, false], [1, true]]);
  assert.deepEqual(gateway.streams, []);
});
