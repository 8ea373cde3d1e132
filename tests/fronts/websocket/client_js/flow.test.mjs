// Flow control: what a stream may send, and what it grants.
import assert from "node:assert/strict";
import { test } from "node:test";

import { METHOD, now, opened } from "./sockets.mjs";

const bodies = (frames) => [frames].flat().map(({ body }) => body);

function granting(limits) {
  return { welcome: { limits: { streams: 9, message_size: 64, credit: 4, buffer: 256, ...limits } } };
}

test("sends beyond the credit wait for a grant, in order", async (t) => {
  const { gateway, socket } = opened(t, granting({ credit: 2 }));
  const stream = gateway.stream(METHOD, { body: 0 });
  const sends = [1, 2, 3, 4].map((n) => stream.send(n));
  assert.deepEqual(bodies(socket.take()), [0, 1, 2], "the body of open does not count");
  assert.equal(await now(sends[1]), undefined);
  assert.equal(await now(sends[2]), "pending");
  assert.equal(stream.credit.send, 0);
  socket.say({ t: "credit", id: 1, n: 1 });
  assert.deepEqual(bodies(socket.take()), [3]);
  assert.equal(await now(sends[2]), undefined);
  assert.equal(await now(sends[3]), "pending");
  socket.say({ t: "credit", id: 1, n: 5 });
  assert.deepEqual(bodies(socket.take()), [4]);
  assert.equal(stream.credit.send, 4);
});

test("the bytes on the way are bounded; a grant frees those of the oldest messages", (t) => {
  const { gateway, socket } = opened(t, granting({ credit: 10, buffer: 30 }));
  const stream = gateway.stream(METHOD);
  socket.take();
  for (const text of ["a".repeat(8), "b".repeat(18), "c".repeat(8), "d"]) stream.send(text);
  assert.equal(bodies(socket.take()).length, 2, "10 + 20 bytes, with the quotes");
  socket.say({ t: "credit", id: 1, n: 1 });
  assert.deepEqual(bodies(socket.take()), ["c".repeat(8)]);
  socket.say({ t: "credit", id: 1, n: 1 });
  assert.deepEqual(bodies(socket.take()), ["d"]);
});

test("bytes are those of UTF-8", (t) => {
  const { gateway, socket } = opened(t, granting({ credit: 10, buffer: 12 }));
  const stream = gateway.stream(METHOD);
  socket.take();
  stream.send("ééé"); // 8 bytes
  stream.send("éé"); // 6
  assert.deepEqual(bodies(socket.take()), ["ééé"]);
});

test("a message larger than the buffer goes where none is on the way", (t) => {
  const { gateway, socket } = opened(t, granting({ credit: 10, buffer: 10 }));
  const stream = gateway.stream(METHOD);
  socket.take();
  stream.send("a".repeat(40));
  stream.send("b");
  assert.deepEqual(bodies(socket.take()), ["a".repeat(40)]);
  socket.say({ t: "credit", id: 1, n: 1 });
  assert.deepEqual(bodies(socket.take()), ["b"]);
});

for (const [where, options, message] of [
  ["in open", { body: "a".repeat(63) }, undefined],
  ["sent", {}, "a".repeat(63)],
]) {
  test(`a message ${where} that is too large ends its stream, not the socket`, async (t) => {
    const { gateway, socket } = opened(t, granting({}));
    const stream = gateway.stream(METHOD, options);
    if (message !== undefined) stream.send(message);
    assert.equal((await stream.status).status, "RESOURCE_EXHAUSTED");
    assert.ok([socket.take()].flat().every(({ t: kind }) => kind === "open" || kind === "cancel"));
    gateway.stream(METHOD, { body: "fits" });
    assert.deepEqual(bodies(socket.take()), ["fits"]);
  });
}

test("streams have credits of their own", (t) => {
  const { gateway, socket } = opened(t, granting({ credit: 1 }));
  const [one, two] = [gateway.stream(METHOD), gateway.stream(METHOD)];
  for (const n of [1, 2]) one.send(n);
  two.send("a");
  const sent = socket.take().slice(2);
  assert.deepEqual(sent.map(({ id, body }) => [id, body]), [[1, 1], [2, "a"]]);
});

/** A client whose first stream has filled what all may send; `count` others wait, in order. */
function filled(t, { count = 1, size = 1, ...more } = {}) {
  const client = opened(t, granting({ session_buffer: 50, ...more }));
  const streams = Array.from({ length: count + 1 }, () => client.gateway.stream(METHOD));
  const sends = streams.map((stream, n) => stream.send("x".repeat(n === 0 ? 48 : size)));
  assert.deepEqual(ids(client.socket.take().slice(-1)), [1]);
  return { ...client, streams, sends };
}

const ids = (frames) => [frames].flat().map(({ id }) => id);

for (const [how, frees] of [
  ["a grant", ({ socket }) => socket.say({ t: "credit", id: 1, n: 1 })],
  ["a status", ({ socket }) => socket.say({ t: "status", id: 1, code: 0 })],
  ["an error", ({ socket }) => socket.say({ t: "status", id: 1, code: 13 })],
]) {
  test(`what streams share is free again by ${how}`, async (t) => {
    const client = filled(t);
    assert.equal(await now(client.sends[1]), "pending");
    frees(client);
    assert.equal(await now(client.sends[1]), undefined);
    assert.deepEqual(ids(client.socket.take()), [2]);
  });
}

test("it is free again by a cancel, which goes out before what uses it", async (t) => {
  const { streams, socket, sends } = filled(t, { size: 40 });
  streams[0].cancel();
  assert.equal(await now(sends[1]), undefined);
  assert.deepEqual(socket.take().map(({ t: kind, id }) => [kind, id]), [["cancel", 1], ["message", 2]]);
  socket.say({ t: "credit", id: 1, n: 1 }, { t: "status", id: 1, code: 1 });
  assert.equal(await now(streams[1].send("x".repeat(40))), "pending", "it was free once");
});

test("it goes out before what is sent by who hears of the end", (t) => {
  const { gateway, streams, socket } = filled(t);
  gateway.addEventListener("stream", () => streams[1].send("y"), { once: true });
  streams[0].cancel();
  const sent = socket.take().map(({ t: kind, body }) => body ?? kind);
  assert.deepEqual(sent, ["cancel", "x", "y"]);
});

test("who came first is served first, however small the others' messages", async (t) => {
  const { gateway, socket } = opened(t, granting({ session_buffer: 50 }));
  const [first, large, small] = [1, 2, 3].map(() => gateway.stream(METHOD));
  const [size, sends] = ["x".repeat(28), []];
  first.send(size);
  sends.push(large.send(size), small.send("s"), first.send("f"));
  assert.deepEqual(ids(socket.take().slice(3)), [1], "the small ones would fit");
  socket.say({ t: "credit", id: 1, n: 1 });
  await Promise.all(sends);
  assert.deepEqual(ids(socket.take()), [2, 3, 1]);
});

test("those who wait take turns, a message each", async (t) => {
  const { streams, socket, sends } = filled(t, { count: 2 });
  const more = streams.slice(1).map((stream) => stream.send("more"));
  socket.say({ t: "credit", id: 1, n: 1 });
  await Promise.all([...sends, ...more]);
  assert.deepEqual(ids(socket.take()), [2, 3, 2, 3]);
});

for (const [how, leave] of [
  ["is cancelled", ({ streams }) => streams[1].cancel()],
  ["has failed", ({ socket }) => socket.say({ t: "status", id: 2, code: 13 })],
]) {
  test(`a stream that waits and ${how} holds up nobody`, async (t) => {
    const { gateway, socket } = opened(t, granting({ session_buffer: 50 }));
    const streams = [1, 2, 3].map(() => gateway.stream(METHOD));
    streams[0].send("x".repeat(28));
    streams[1].send("y".repeat(28));
    const last = streams[2].send("z");
    assert.equal(await now(last), "pending");
    leave({ streams, socket });
    assert.equal(await now(last), undefined);
    assert.deepEqual(ids(socket.take().slice(-1)), [3]);
  });
}

test("a stream that waits for its own credit does not stand in the way of others", (t) => {
  const { gateway, socket } = opened(t, granting({ credit: 1, session_buffer: 50 }));
  const [one, two] = [gateway.stream(METHOD), gateway.stream(METHOD)];
  for (const n of [1, 2]) one.send(n);
  two.send("a");
  assert.deepEqual(ids(socket.take().slice(2)), [1, 2]);
});

test("a message larger than all may have goes where none is on the way", async (t) => {
  const { gateway, socket } = opened(t, granting({ session_buffer: 10 }));
  const [one, two] = [gateway.stream(METHOD), gateway.stream(METHOD)];
  one.send("a".repeat(40));
  const waits = two.send("b");
  assert.deepEqual(ids(socket.take().slice(2)), [1]);
  socket.say({ t: "credit", id: 1, n: 1 });
  assert.equal(await now(waits), undefined);
});

test("a gateway that does not say what all may send sets no bound", (t) => {
  const { gateway, socket } = opened(t, granting({}));
  const streams = Array.from({ length: 9 }, () => gateway.stream(METHOD));
  for (const stream of streams) stream.send("x".repeat(60));
  assert.deepEqual(ids(socket.take().slice(9)), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("what waits to be sent is bounded", async (t) => {
  const { gateway } = opened(t, granting({ credit: 1 }));
  const stream = gateway.stream(METHOD);
  for (let n = 0; n < 1025; n++) stream.send(n);
  assert.equal((await now(stream.send("one more"))).status, "RESOURCE_EXHAUSTED");
});

test("credit is granted as messages are taken, half of it at a time", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD, { credit: 4 });
  const reader = stream[Symbol.asyncIterator]();
  assert.equal(socket.take().credit, 4);
  for (const body of [1, 2, 3, 4]) socket.say({ t: "message", id: 1, body });
  assert.deepEqual(socket.take(), [], "none was taken");
  assert.equal(stream.credit.receive, 0);
  await reader.next();
  assert.deepEqual(socket.take(), []);
  await reader.next();
  assert.deepEqual(socket.take(), { t: "credit", id: 1, n: 2 });
  assert.equal(stream.credit.receive, 2);
});

test("a credit of one is given back with each message", async (t) => {
  const { gateway, socket } = opened(t);
  const reader = gateway.stream(METHOD, { credit: 1 })[Symbol.asyncIterator]();
  socket.take();
  for (const body of [1, 2, 3]) {
    socket.say({ t: "message", id: 1, body });
    assert.deepEqual(await reader.next(), { done: false, value: body });
    assert.deepEqual(socket.take(), { t: "credit", id: 1, n: 1 });
  }
});

test("credits can be given for all streams of a client", (t) => {
  const { gateway, socket } = opened(t, { credit: 7 });
  gateway.stream(METHOD);
  gateway.stream(METHOD, { credit: 9 });
  assert.deepEqual(socket.take().map(({ credit }) => credit), [7, 9]);
});

test("a stream that has ended grants nothing more", async (t) => {
  const { gateway, socket } = opened(t);
  const reader = gateway.stream(METHOD, { credit: 1 })[Symbol.asyncIterator]();
  socket.say({ t: "message", id: 1, body: 1 }, { t: "status", id: 1, code: 0 });
  socket.take();
  await reader.next();
  assert.deepEqual(socket.take(), []);
});

test("a gateway that sends more than was granted has the stream ended", async (t) => {
  const { gateway, socket } = opened(t);
  const stream = gateway.stream(METHOD, { credit: 2 });
  for (const body of [1, 2, 3]) socket.say({ t: "message", id: 1, body });
  assert.equal((await stream.status).status, "INTERNAL");
  assert.deepEqual(socket.take().at(-1), { t: "cancel", id: 1 });
});
