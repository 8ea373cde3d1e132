// Arguments that can't be: they are refused where they are given, and nothing of them is sent.
import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "../../../../gateway/fronts/websocket/pages/client.js";
import { begin, METHOD, now, opened, settled, Socket } from "./sockets.mjs";

const CIRCULAR = {};
CIRCULAR.self = CIRCULAR;

/** What stream() and call() are both given, the error, and what it says. */
const OF_CALLS = [
  ["no method", [undefined], TypeError, /package\.Service\/Method/],
  ["a number as method", [5], TypeError, /package\.Service\/Method/],
  ...["", "Join", "/shop.Chat/Join", "shop.Chat/", "shop.Chat.Join", "a..b/C", "a/b/c", "a/b c", "1/a"].map(
    (method) => [`the method "${method}"`, [method], TypeError, /package\.Service\/Method/],
  ),
  ["options that are none", [METHOD, 5], TypeError, /options/],
  ["null for options", [METHOD, null], TypeError, /options/],
  ["an unknown option", [METHOD, { timeuot: 5 }], TypeError, /"timeuot": did you mean "timeout"\?/],
  ["a name of Object", [METHOD, { constructor: 1 }], TypeError, /no option "constructor"/],
  ["a timeout in words", [METHOD, { timeout: "x" }], TypeError, /milliseconds/],
  ["a timeout of null", [METHOD, { timeout: null }], TypeError, /milliseconds/],
  ...[0, -1, NaN].map((timeout) => [`a timeout of ${timeout}`, [METHOD, { timeout }], RangeError, /above 0/]),
  ["a signal that is none", [METHOD, { signal: "stop" }], TypeError, /AbortSignal/],
  ...[
    ["a text", "ab", /object, or a list of pairs/],
    ["null", null, /object, or a list of pairs/],
    ["a number", 5, /object, or a list of pairs/],
    ["bytes", new Uint8Array(2), /pair of a key and a value/],
    ["texts for pairs", ["ab"], /pair of a key and a value/],
    ["a pair of three", [["a", "b", "c"]], /pair of a key and a value/],
    ["a number as key", [[1, "b"]], /pair of a key and a value/],
    ["an empty key", { "": "b" }, /key of metadata/],
    ["a key with a space", { "a b": "c" }, /key of metadata/],
    ["a number as value", { a: 1 }, /a is a text/],
    ["no value", { a: undefined }, /a is a text/],
    ["an empty value", { a: "" }, /a is a text/],
    ["a value with a line end", { a: "b\nc" }, /a is a text/],
    ["a value that is not ASCII", { a: "é" }, /a is a text/],
    ["bytes without -bin", { a: new Uint8Array(1) }, /a is a text/],
    ["a list as bytes", { "a-bin": [1, 2] }, /Uint8Array, or base64/],
    ["a buffer as bytes", { "a-bin": new ArrayBuffer(1) }, /Uint8Array, or base64/],
    ["what is not base64", { "a-bin": "a_b-" }, /Uint8Array, or base64/],
    ["half of a byte in base64", { "a-bin": "AAAAA" }, /Uint8Array, or base64/],
  ].map(([what, metadata, says]) => [`metadata: ${what}`, [METHOD, { metadata }], TypeError, says]),
];

const BODIES = [
  ["null", null],
  ["a function", () => {}],
  ["a symbol", Symbol("a")],
  ["a BigInt", { n: 1n }],
  ["a circle", CIRCULAR],
  ["what is null in JSON", NaN],
];

/** Checks that nothing has come of a call. */
function untouched({ gateway, socket }) {
  assert.deepEqual([socket.take(), gateway.streams], [[], []]);
  assert.equal(gateway.stream(METHOD).id, 1, "no id was used up");
}

for (const [what, [method, options], kind, says] of OF_CALLS) {
  test(`a call is not given ${what}`, async (t) => {
    const client = opened(t);
    assert.throws(() => client.gateway.stream(method, options), says);
    assert.throws(() => client.gateway.stream(method, options), kind);
    const error = await now(client.gateway.call(method, {}, options));
    assert.ok(error instanceof kind, error);
    untouched(client);
  });
}

for (const [what, body] of BODIES) {
  test(`a message is not ${what}`, async (t) => {
    const client = opened(t);
    assert.throws(() => client.gateway.stream(METHOD, { body }), TypeError);
    assert.ok((await now(client.gateway.call(METHOD, body))) instanceof TypeError);
    untouched(client);
    client.socket.take();
    assert.throws(() => client.gateway.streams[0].send(body), TypeError);
    assert.deepEqual(client.socket.take(), []);
  });
}

test("undefined is {} for a call, which needs a message, and none for a stream", async (t) => {
  const { gateway, socket } = opened(t);
  const reply = gateway.call(METHOD, undefined, undefined);
  assert.deepEqual(socket.take().body, {});
  gateway.stream(METHOD, { body: undefined, timeout: undefined });
  assert.equal("body" in socket.take(), false);
  socket.say({ t: "message", id: 1, body: {} }, { t: "status", id: 1, code: 0 });
  assert.deepEqual(await reply, {});
});

for (const [what, options, kind] of [
  ["body", { body: {} }, TypeError],
  ["credit", { credit: 3 }, TypeError],
  ["end", { end: true }, TypeError],
]) {
  test(`call has no option ${what}`, async (t) => {
    const client = opened(t);
    assert.ok((await now(client.gateway.call(METHOD, {}, options))) instanceof kind);
    untouched(client);
  });
}

for (const [options, kind] of [
  [{ end: 1 }, TypeError],
  [{ credit: "3" }, TypeError],
  [{ credit: 1.5 }, RangeError],
  [{ credit: 0 }, RangeError],
  [{ credit: 2 ** 31 }, RangeError],
]) {
  test(`a stream is not given ${JSON.stringify(options)}`, (t) => {
    const client = opened(t);
    assert.throws(() => client.gateway.stream(METHOD, options), kind);
    untouched(client);
  });
}

test("metadata in base64 may be padded or not, and keys are sent in lower case", (t) => {
  const { gateway, socket } = opened(t);
  const metadata = { "A-Bin": "AQ", "b-bin": "AQ==", "c-bin": "", "d-bin": new Uint8Array(), E: " ~" };
  gateway.stream(METHOD, { metadata });
  const sent = [["a-bin", "AQ"], ["b-bin", "AQ=="], ["c-bin", ""], ["d-bin", ""], ["e", " ~"]];
  assert.deepEqual(socket.take().metadata, sent);
});

test("many bytes are metadata, too", (t) => {
  const { gateway, socket } = opened(t);
  gateway.stream(METHOD, { metadata: { "a-bin": new Uint8Array(200_000).fill(255) } });
  assert.equal(socket.take().metadata[0][1], Buffer.alloc(200_000, 255).toString("base64"));
});

for (const timeout of [Infinity, 1e300]) {
  test(`a timeout of ${timeout} is none that is said`, (t) => {
    const { gateway, socket } = opened(t);
    gateway.stream(METHOD, { timeout });
    assert.equal("timeout_ms" in socket.take(), false);
  });
}

// Those of connect

for (const [what, url, options, kind, says] of [
  ["a scheme of something else", "ftp://a/ws", {}, TypeError, /ftp/],
  ["null for options", "ws://a/ws", null, TypeError, /options/],
  ["an unknown option", "ws://a/ws", { websocket: Socket }, TypeError, /did you mean "WebSocket"/],
  ["an option of calls", "ws://a/ws", { timeout: 5 }, TypeError, /no option "timeout"/],
  ["a number as token", "ws://a/ws", { token: 5 }, TypeError, /visible ASCII/],
  ["an empty token", "ws://a/ws", { token: "" }, TypeError, /visible ASCII/],
  ["a token with a space", "ws://a/ws", { token: "a b" }, TypeError, /visible ASCII/],
  ["a word for resume", "ws://a/ws", { resume: "yes" }, TypeError, /true or false/],
  ["half a credit", "ws://a/ws", { credit: 1.5 }, RangeError, /whole number/],
  ["a number as backoff", "ws://a/ws", { backoff: 100 }, TypeError, /function/],
  ["a controller as signal", "ws://a/ws", { signal: new AbortController() }, TypeError, /AbortSignal/],
  ["an object as class", "ws://a/ws", { WebSocket: {} }, TypeError, /class/],
]) {
  test(`connect is not given ${what}`, () => {
    const dial = options === null || "WebSocket" in options ? options : { WebSocket: Socket, ...options };
    assert.throws(() => connect(url, dial), kind);
    assert.throws(() => connect(url, dial), says);
  });
}

test("what is a fragment in the URL is not dialled", (t) => {
  const { gateway } = begin(t);
  gateway.close();
  let dialled;
  class Dialled extends Socket {
    constructor(url) {
      super(url);
      dialled = url;
    }
  }
  connect("ws://a/ws#top", { WebSocket: Dialled }).close();
  assert.equal(dialled, "ws://a/ws");
});

for (const token of [undefined, null, "", 5, "a\nb", "é"]) {
  test(`auth is not given ${JSON.stringify(token)}`, (t) => {
    const { gateway, socket } = opened(t, { token: "good" });
    assert.throws(() => gateway.auth(token), TypeError);
    assert.deepEqual(socket.take(), []);
  });
}

for (const none of [undefined, null]) {
  test(`a function may give ${none} for no token`, async (t) => {
    const client = begin(t, { token: () => none });
    await settled();
    assert.deepEqual(client.socket.welcome(), { t: "hello" });
  });
}

for (const given of [5, "", { token: "secret" }]) {
  test(`a function that gives ${JSON.stringify(given)} as token fails what waits, and is asked again`, async (t) => {
    const gives = [given, "good"];
    const client = begin(t, { token: async () => gives.shift() });
    const error = await now(client.gateway.call(METHOD));
    assert.equal(error.status, "UNAUTHENTICATED");
    assert.ok(error.cause instanceof TypeError);
    assert.equal(error.message.includes("secret"), false);
    assert.deepEqual([client.gateway.state, client.sockets.length], ["waiting", 0]);
    const later = client.gateway.stream(METHOD);
    await client.tick(100);
    assert.equal(client.socket.welcome().token, "good");
    assert.equal(client.socket.take().id, later.id);
  });
}

test("when a token expires, what is none is not sent", async (t) => {
  const gives = ["good", 5];
  const client = begin(t, { token: () => gives.shift() });
  await settled();
  client.socket.welcome();
  client.socket.say({ t: "auth_expiring", token_s: 30 });
  await settled();
  assert.deepEqual(client.socket.take(), []);
});
