// Resuming as a property: whatever a network does, nothing is lost, doubled or out of order.
import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "../../../../gateway/fronts/websocket/pages/client.js";
import { Model, randomOf } from "./model.mjs";
import { METHOD, settled } from "./sockets.mjs";

const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1);

/** One stream that counts up to `most` in both directions, moved step by step. */
class Counting {
  said = 0;
  heard = [];
  #reading = null;
  outcome = null; // of the iteration

  constructor(gateway, most, credit) {
    this.stream = gateway.stream(METHOD, { credit });
    this.most = most;
    this.#sending = Promise.resolve();
    this.reader = this.stream[Symbol.asyncIterator]();
  }

  #sending;
  #ready = true;

  say() {
    if (!this.#ready || this.said > this.most) return;
    this.said += 1;
    if (this.said > this.most) {
      this.stream.end();
      return;
    }
    this.#ready = false;
    this.#sending = this.stream.send(this.said).then(() => {
      this.#ready = true;
    }, () => {});
  }

  hear() {
    this.#reading ??= this.reader.next().then(
      ({ done, value }) => {
        this.#reading = null;
        if (done) this.outcome = "OK";
        else this.heard.push(value);
      },
      (error) => {
        this.outcome = error.status;
      },
    );
  }
}

/** A stream that says something, and is left before it was taken; then another one. */
class Leaving {
  #stream = null;

  constructor(gateway) {
    this.gateway = gateway;
  }

  move(size) {
    if (this.#stream === null) {
      this.#stream = this.gateway.stream(METHOD);
      this.#stream.send("x".repeat(size)).catch(() => {});
    } else {
      this.#stream.cancel();
      this.#stream = null;
    }
  }
}

async function run(t, { seed, streams, most, cuts, goaways = 0, expiries = 0 }) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const random = randomOf(seed);
  const model = new Model(random, most);
  const gateway = connect("ws://gateway/ws", {
    WebSocket: model.WebSocket,
    resume: true,
    backoff: () => 1,
  });
  const counting = upTo(streams).map(() => new Counting(gateway, most, 1 + Math.floor(random() * 9)));
  const leaving = new Leaving(gateway);
  for (let step = 0; counting.some(({ outcome }) => outcome === null); step++) {
    assert.ok(step < 400 * streams * most, "it comes to an end");
    const what = random();
    const one = counting[Math.floor(random() * streams)];
    if (what < 0.15) one.say();
    else if (what < 0.35) one.hear();
    else if (what < 0.35 + cuts) model.cut();
    else if (what < 0.35 + cuts + goaways) model.goaway();
    else if (what < 0.35 + cuts + goaways + expiries) model.expire();
    else if (what > 0.97) leaving.move(Math.floor(random() * 30));
    else model.step();
    t.mock.timers.tick(1);
    await settled();
  }
  gateway.close();
  return { counting, model };
}

for (const seed of upTo(12)) {
  test(`nothing is lost, doubled or out of order over cuts and goaways (${seed})`, async (t) => {
    const most = 120;
    const { counting, model } = await run(t, { seed, streams: 4, most, cuts: 0.01, goaways: 0.003 });
    for (const { stream, outcome, heard } of counting) {
      assert.equal(outcome, "OK");
      assert.deepEqual(heard, upTo(most));
      const { trailers } = await stream.status;
      assert.deepEqual(JSON.parse(trailers[0][1]), upTo(most));
    }
    assert.ok(model.cuts > 20, `${model.cuts} cuts`);
    assert.ok(model.stats.again > 0);
  });
}

test("thousands of messages over hundreds of cuts", async (t) => {
  const most = 3000;
  const { counting, model } = await run(t, { seed: 7, streams: 1, most, cuts: 0.006 });
  assert.deepEqual(counting[0].heard, upTo(most));
  assert.deepEqual(JSON.parse((await counting[0].stream.status).trailers[0][1]), upTo(most));
  assert.ok(model.cuts >= 100, `${model.cuts} cuts`);
});

for (const seed of upTo(6)) {
  test(`a session that is gone loses streams openly, and what was heard is in order (${seed})`, async (t) => {
    const { counting } = await run(t, { seed, streams: 4, most: 60, cuts: 0.01, expiries: 0.001 });
    for (const { outcome, heard } of counting) {
      assert.ok(["OK", "UNAVAILABLE"].includes(outcome));
      assert.deepEqual(heard, upTo(heard.length));
      if (outcome === "OK") assert.equal(heard.length, 60);
    }
  });
}
