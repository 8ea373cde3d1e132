// A model of the gateway's side of a session that can be resumed, behind a network that a test
// moves one frame at a time and may cut at any of them.
import assert from "node:assert/strict";

import { Socket } from "./sockets.mjs";

export const LIMITS = { streams: 8, message_size: 1000, credit: 5, buffer: 40, session_buffer: 12 };

/** Numbers that look random, the same for the same seed (mulberry32). */
export function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A stream at the gateway: counts up to `most` towards the client, and notes what comes. */
class Stream {
  seq = 0; // the highest that has come
  waiting = []; // came, and was not taken by the backend
  taken = [];
  bytes = []; // of those that were not granted again
  received = 0;
  granted = LIMITS.credit;
  ungranted = 0; // taken since the last grant
  ended = false; // the client's end has come
  sent = 0;
  sentSeq = 0;
  kept = [];
  over = false; // the status was sent

  constructor(id, most, credit) {
    this.id = id;
    this.most = most;
    this.allowed = credit; // what the client has granted
  }

  get onTheWay() {
    return this.bytes.reduce((sum, each) => sum + each, 0);
  }

  /** A message frame; one that comes again must be one that came. `others` are all streams. */
  receive({ seq, body, end }, others) {
    if (seq <= this.seq) return;
    assert.equal(seq, this.seq + 1, "no frame is left out");
    this.seq = seq;
    if (this.over) return;
    assert.equal(this.ended, false, "nothing comes behind the end");
    if (body !== undefined) {
      this.received += 1;
      assert.ok(this.received <= this.granted, "no more than was granted");
      const size = JSON.stringify(body).length;
      const fits = (all, most) => all === 0 || all + size <= most;
      assert.ok(fits(this.onTheWay, LIMITS.buffer), "nor more bytes");
      const together = others.reduce((sum, { onTheWay }) => sum + onTheWay, 0);
      assert.ok(fits(together, LIMITS.session_buffer), "nor more of all streams");
      this.bytes.push(size);
      this.waiting.push(body);
    }
    if (end) this.ended = true;
  }

  end(status) {
    this.over = true;
    this.bytes = [];
    return this.numbered({ t: "status", ...status });
  }

  numbered(frame) {
    const made = { ...frame, id: this.id, seq: ++this.sentSeq };
    this.kept.push(made);
    assert.ok(this.kept.length <= this.allowed + 2, "what is kept is bounded by credit");
    return made;
  }
}

export class Model {
  #random;
  #most;
  #sessions = 0;
  session = null; // {id, streams, lastId, socket}
  sockets = []; // those of the client that are not broken
  cuts = 0;
  stats = { up: 0, down: 0, again: 0 };

  constructor(random, most) {
    this.#random = random;
    this.#most = most;
    const { sockets } = this;
    /** The class that the client dials with. */
    this.WebSocket = class extends Socket {
      up = [];
      down = [];
      isOpen = false;
      constructor(...args) {
        super(...args);
        sockets.push(this);
      }
      send(text) {
        this.up.push(JSON.parse(text));
      }
      close() {
        // The client looks no more; what it had sent before may still arrive.
        this.left = true;
      }
    };
  }

  #one(list) {
    return list[Math.floor(this.#random() * list.length)];
  }

  /** Lets one thing happen on the network or at the gateway. */
  step() {
    const socket = this.#one(this.sockets);
    if (socket === undefined) return;
    if (!socket.isOpen) {
      socket.isOpen = true;
      if (!socket.left) socket.open();
      return;
    }
    const what = this.#random();
    if (what < 0.3) this.#arrive(socket);
    else if (what < 0.6) this.#deliver(socket);
    else this.#work();
    if (socket.left && socket.up.length === 0) this.#forget(socket);
  }

  #arrive(socket) {
    const frame = socket.up.shift();
    if (frame === undefined) return;
    this.stats.up += 1;
    if (frame.t === "hello") this.#hello(socket, frame);
    else if (this.session?.socket === socket) this.#take(frame);
  }

  #deliver(socket) {
    const frame = socket.down.shift();
    if (frame === undefined || socket.left) return;
    this.stats.down += 1;
    socket.say(frame);
  }

  #say(frame) {
    this.session.socket?.down.push(frame);
  }

  #hello(socket, { session: named, seen, granted }) {
    const known = this.session !== null && this.session.id === named;
    if (!known) {
      this.#sessions += 1;
      this.session = { id: `s${this.#sessions}`, streams: new Map(), lastId: 0, socket };
      const lost = Object.keys(seen ?? {}).map(Number);
      this.#say(this.#welcome({ lost, resumed: [], last_id: 0 }));
      return;
    }
    const { streams, lastId } = this.session;
    this.session.socket = socket;
    for (const id of streams.keys()) if (!(id in seen)) streams.delete(id);
    const resumed = [...streams.values()].map(({ id, seq, granted: all }) => ({ id, seq, granted: all }));
    const lost = Object.keys(seen).map(Number).filter((id) => id <= lastId && !streams.has(id));
    this.#say(this.#welcome({ lost, resumed, last_id: lastId }));
    for (const stream of streams.values()) {
      stream.kept = stream.kept.filter(({ seq }) => seq > seen[stream.id]);
      assert.ok(granted[stream.id] >= stream.allowed, "grants are never taken back");
      stream.allowed = granted[stream.id];
      this.stats.again += stream.kept.length;
      for (const frame of stream.kept) this.#say(frame);
    }
  }

  #welcome(more) {
    const { id } = this.session;
    return { t: "welcome", session: id, ping_ms: 1e9, resume_ms: 30_000, limits: LIMITS, ...more };
  }

  #take(frame) {
    const { streams, lastId } = this.session;
    if (frame.t === "open") {
      assert.ok(frame.id > lastId, "no open comes twice");
      this.session.lastId = frame.id;
      streams.set(frame.id, new Stream(frame.id, this.#most, frame.credit));
      return;
    }
    const stream = streams.get(frame.id);
    if (stream === undefined) return;
    if (frame.t === "message") stream.receive(frame, [...streams.values()]);
    else if (frame.t === "cancel") {
      if (!stream.over) this.#say(stream.end({ code: 1 }));
    } else {
      stream.allowed += frame.n;
      stream.kept = stream.kept.filter(({ seq }) => seq > frame.seq);
      if (stream.over && stream.kept.length === 0) streams.delete(frame.id);
    }
  }

  /** A backend takes a message or sends one, or the gateway grants. */
  #work() {
    const stream = this.#one([...(this.session?.streams.values() ?? [])]);
    if (stream === undefined || stream.over) return;
    const what = this.#random();
    if (what < 0.4) {
      if (stream.waiting.length === 0) return;
      stream.taken.push(stream.waiting.shift());
      stream.ungranted += 1;
    } else if (what < 0.55) {
      const n = stream.ungranted;
      stream.ungranted = 0;
      stream.granted += n;
      stream.bytes.splice(0, n);
      this.#say({ t: "credit", id: stream.id, n, seq: stream.seq });
    } else if (stream.sent < stream.most) {
      if (stream.sent >= stream.allowed) return;
      stream.sent += 1;
      this.#say(stream.numbered({ t: "message", body: stream.sent }));
    } else if (stream.ended && stream.waiting.length === 0) {
      const trailers = [["taken", JSON.stringify(stream.taken)]];
      this.#say(stream.end({ code: 0, trailers }));
    }
  }

  goaway() {
    if (this.session?.socket) this.#say({ t: "goaway", reason: "max_age", reconnect_ms: 1 });
  }

  /** Breaks a socket; some of what is on its way arrives, and the gateway may not know yet. */
  cut() {
    const socket = this.#one(this.sockets);
    if (socket === undefined) return;
    this.cuts += 1;
    while (socket.up.length && this.#random() < 0.7) this.#arrive(socket);
    while (socket.down.length && this.#random() < 0.7) this.#deliver(socket);
    this.#forget(socket);
    socket.cut();
  }

  /** The session's time is over. */
  expire() {
    this.session = null;
  }

  #forget(socket) {
    this.sockets.splice(this.sockets.indexOf(socket), 1);
    if (this.session?.socket === socket && this.#random() < 0.5) this.session.socket = null;
  }
}
