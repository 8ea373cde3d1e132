// Fake sockets and a fake clock: a test plays the gateway's part frame by frame.
import { connect } from "../../../../gateway/fronts/websocket/pages/client.js";

export const METHOD = "shop.chat.v1.ChatService/Join";

export const LIMITS = { streams: 100, message_size: 1024, credit: 4, buffer: 256, session_buffer: 512 };

/** A WebSocket whose other end is the test. */
export class Socket {
  frames = []; // what the client sent, of which `take` has not told yet
  closed = null; // the code that the client closed with
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;

  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
  }

  // The client's side.
  send(text) {
    this.frames.push(JSON.parse(text));
  }

  close(code) {
    this.closed ??= code;
  }

  // The gateway's side.
  open() {
    this.onopen({});
  }

  say(...frames) {
    for (const frame of frames) this.onmessage({ data: JSON.stringify(frame) });
  }

  cut(code = 1006, reason = "") {
    this.onclose({ code, reason });
  }

  welcome(more = {}) {
    this.open();
    const hello = this.take();
    this.say({ t: "welcome", session: "0.s1", ping_ms: 25_000, limits: LIMITS, ...more });
    return hello;
  }

  /** Gives the frames since the last time: one of them, or all as a list. */
  take() {
    const frames = this.frames.splice(0);
    return frames.length === 1 ? frames[0] : frames;
  }
}

/** Lets everything go on that waits for nothing but a turn. */
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What a promise has come to by now: its value, its error, or "pending". */
export async function now(promise) {
  const pending = Symbol();
  const told = Promise.race([
    promise.then((value) => value, (error) => error),
    settled().then(() => pending),
  ]);
  const result = await told;
  return result === pending ? "pending" : result;
}

/** The timers that have not run and were not cleared, from now on. */
function timers(t) {
  const running = new Set();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  t.mock.method(globalThis, "setTimeout", (act, ms) => {
    const timer = set(() => {
      running.delete(timer);
      act();
    }, ms);
    running.add(timer);
    return timer;
  });
  t.mock.method(globalThis, "clearTimeout", (timer) => {
    running.delete(timer);
    clear(timer);
  });
  return running;
}

/** A client before its first socket has opened; the clock stands still until `tick`. */
export function begin(t, options = {}) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const running = timers(t);
  let time = 0;
  t.mock.method(performance, "now", () => time);
  const sockets = [];
  const states = [];
  class Dialled extends Socket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  }
  const gateway = connect("ws://gateway/ws", { WebSocket: Dialled, backoff: () => 100, ...options });
  gateway.addEventListener("state", ({ detail }) => states.push(detail));
  t.after(() => gateway.close());
  return {
    gateway,
    sockets,
    states,
    running,
    get socket() {
      return sockets.at(-1);
    },
    async tick(ms) {
      for (let left = ms; left > 0; left -= 100) {
        time += Math.min(left, 100);
        t.mock.timers.tick(Math.min(left, 100));
        await settled();
      }
    },
  };
}

/** A client with an open socket. */
export function opened(t, { welcome, ...options } = {}) {
  const client = begin(t, options);
  client.socket.welcome(welcome);
  return client;
}

/** Every message that a stream gives until its end, and its error if it has one. */
export async function all(stream) {
  const messages = [];
  try {
    for await (const message of stream) messages.push(message);
  } catch (error) {
    return { messages, error };
  }
  return { messages, error: null };
}
