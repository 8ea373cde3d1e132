/**
 * Calls gRPC methods of all four kinds over one WebSocket, through the gateway: the multiplexed
 * protocol in JSON (`grpcws.v1.json`, specified in docs/websocket.md).
 *
 * It connects by itself, again and again where the socket breaks. Each stream has a credit in both
 * directions, so that neither side holds more than was granted. With `resume` the streams of a
 * broken socket go on upon the next one, and nothing is lost or doubled.
 *
 * One file without dependencies, for browsers and for Node 20 or later. It does not read protos:
 * a message is what it is in JSON.
 */

const SUBPROTOCOL = "grpcws.v1.json";

// In the order of their numbers.
const NAMES = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"],
  ...["ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"],
  ...["ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
  "UNAUTHENTICATED",
];

/** The codes of gRPC: `Code.NOT_FOUND` is 5. */
export const Code = Object.freeze(Object.fromEntries(NAMES.map((name, code) => [name, code])));

const CREDIT = 64; // messages that a stream may be sent before some are taken
const MOST_CREDIT = 2 ** 31 - 1;
const MOST_WAITING = 1024; // messages of one stream, and streams, that wait to be sent
const MOST_UNSAID = 256 * 1024; // characters that come before the server is told that they have
const PATIENCE = 20_000; // ms until a new connection must have been welcomed
const STABLE = 5_000; // ms of a welcomed connection after which failures are counted anew
const GRACE = 2_000; // ms that the server's DEADLINE_EXCEEDED may be late
const LONGEST = 2 ** 31 - 1; // ms of a timer

const NORMAL = 1000;
const BROKEN = 1006; // what a browser reports of a connection without an end; it is never sent
const TAKEN_OVER = 4000;
const NO_ANSWER = 4002;
const BAD_FRAME = 4400;

/** What calls end with where the gateway refuses to be connected to. */
const REFUSALS = {
  4401: Code.UNAUTHENTICATED,
  4403: Code.PERMISSION_DENIED,
  4429: Code.RESOURCE_EXHAUSTED,
};

/** A call that did not end with OK. */
export class RpcError extends Error {
  /**
   * @param {number} code a code of gRPC
   * @param {string} message
   * @param {{details?: object[], trailers?: [string, string][], cause?: unknown}} [more]
   */
  constructor(code, message, { details = [], trailers = [], cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "RpcError";
    this.code = code;
    this.status = NAMES[code] ?? "UNKNOWN";
    this.details = details;
    this.trailers = trailers;
  }
}

/**
 * The time to wait before an attempt to connect: full jitter, as a crowd of clients should.
 *
 * @param {number} attempt how many have failed before, from 0
 * @returns {number} milliseconds: up to 250, and twice as many with each attempt, 30,000 at most
 */
export function fullJitter(attempt) {
  return Math.random() * Math.min(30_000, 250 * 2 ** attempt);
}

/**
 * Connects to a gateway, at once.
 *
 * @param {string | URL} url of the gateway's `websocket.path`; in a page it may be relative
 * @param {object} [options] see client.d.ts
 * @returns {Gateway}
 */
export function connect(url, options = {}) {
  return new Gateway(url, options);
}

/** One call, as its maker has it. */
class Stream {
  #call;

  constructor(call) {
    this.#call = call;
  }

  get id() { return this.#call.id; }
  get method() { return this.#call.method; }

  /** Messages that were sent; that of `open` is one. */
  get sent() { return this.#call.sent; }

  /** Messages that have come, be they taken or not. */
  get received() { return this.#call.incoming.received; }

  /** How many messages may be sent, and may come, before the other side grants more. */
  get credit() {
    return { send: this.#call.outgoing.credit, receive: this.#call.incoming.credit };
  }

  /** The initial metadata; empty where the call ended without. Never rejects. */
  get headers() { return this.#call.headers.promise; }

  /** How the call ended. Never rejects. */
  get status() { return this.#call.ended.promise; }

  /** Sends a message; resolves when it has gone out, as credit allows. */
  send(message) {
    return this.#call.send(message);
  }

  /** Says that there are no more messages; those that wait go out before. */
  end() {
    this.#call.end();
  }

  /** Leaves the call: it ends with CANCELLED. */
  cancel(reason) {
    this.#call.cancel(reason);
  }

  [Symbol.asyncIterator]() {
    return {
      next: () => this.#call.take(),
      return: async (value) => {
        this.cancel();
        return { done: true, value };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

/** What a stream has to say: what may go out by credit, and what may have to go out again. */
class Outgoing {
  #id;
  #limits = null; // known when the stream is opened
  #numbered = false;
  #waiting = []; // {text, size, end, done}: they wait for credit; text is null for a bare end
  #sizes = []; // bytes of each message that was sent and not granted since
  #bytes = 0; // the sum of them
  #granted = 0;
  #sent = 0;
  #seq = 0;
  #kept = []; // {seq, text}: frames that the server may not have
  #ended; // nothing more will be said

  constructor(id, ended) {
    this.#id = id;
    this.#ended = ended;
  }

  get sent() { return this.#sent; }
  get credit() { return this.#granted - this.#sent; }

  /** From now on messages may go out. With `numbered` they are kept until they are acknowledged. */
  begin(limits, numbered) {
    this.#limits = limits;
    this.#numbered = numbered;
    this.#granted = limits.credit;
  }

  push(text) {
    if (this.#ended) throw new TypeError("the stream was ended: nothing can be sent");
    const done = deferred();
    if (this.#waiting.length >= MOST_WAITING) {
      done.reject(new RpcError(Code.RESOURCE_EXHAUSTED, "Too many messages wait: await send()."));
    } else {
      this.#waiting.push({ text, size: bytesOf(text), end: false, done });
    }
    return done.promise;
  }

  end() {
    if (this.#ended) return;
    this.#ended = true;
    const last = this.#waiting.at(-1);
    if (last) last.end = true;
    else this.#waiting.push({ text: null, size: 0, end: true, done: deferred() });
  }

  /**
   * Yields the frames that may go out now.
   *
   * @throws {RpcError} RESOURCE_EXHAUSTED: the next message is larger than the server takes
   */
  *frames() {
    while (this.#waiting.length && this.#mayGo(this.#waiting[0])) {
      const { text, size, end, done } = this.#waiting.shift();
      if (text !== null) {
        this.#sent += 1;
        this.#sizes.push(size);
        this.#bytes += size;
      }
      const seq = this.#numbered ? ++this.#seq : undefined;
      const frame = frameOf({ t: "message", id: this.#id, seq }, text, end);
      if (this.#numbered) this.#kept.push({ seq, text: frame });
      yield frame;
      done.resolve();
    }
  }

  #mayGo({ text, size }) {
    if (this.#limits === null) return false;
    if (text === null) return true;
    checkSize(size, this.#limits);
    const fits = this.#sizes.length === 0 || this.#bytes + size <= this.#limits.buffer;
    return this.credit > 0 && fits;
  }

  /** Takes note of `n` more messages; the oldest ones are off the server's hands. */
  grant(n) {
    this.#granted = Math.min(this.#granted + n, this.#sent + MOST_CREDIT);
    for (const size of this.#sizes.splice(0, n)) this.#bytes -= size;
  }

  /** Forgets what the server has. */
  acknowledge(seq) {
    while (this.#kept.length && this.#kept[0].seq <= seq) this.#kept.shift();
  }

  /** Returns the frames to send again, where the server has those up to `seq`. */
  again(seq, granted) {
    this.acknowledge(seq);
    this.grant(Math.max(granted - this.#granted, 0));
    return this.#kept.map(({ text }) => text);
  }

  stop(error) {
    this.#ended = true;
    for (const { done } of this.#waiting.splice(0)) done.reject(error);
    this.#kept.length = 0;
  }
}

/** What a stream is told: messages that wait to be taken, and the credit that this gives back. */
class Incoming {
  #messages = [];
  #taken = 0; // since the last grant
  #batch; // granted at once: half of the credit
  #told; // messages that the server knows to be granted
  #wake = null;
  received = 0;
  seq = 0; // the highest that has come
  said = 0; // the one that the server was told of

  constructor(credit) {
    this.granted = this.#told = credit;
    this.#batch = Math.ceil(credit / 2);
  }

  get credit() { return this.granted - this.received; }

  add(message) {
    this.received += 1;
    this.#messages.push(message);
    this.rouse();
  }

  get isEmpty() { return this.#messages.length === 0; }

  take() {
    this.#taken += 1;
    if (this.#taken >= this.#batch) {
      this.granted += this.#taken;
      this.#taken = 0;
    }
    return this.#messages.shift();
  }

  /** Returns how many messages the server is to be granted now; it is told. */
  grant() {
    const n = this.granted - this.#told;
    this.#told = this.granted;
    return n;
  }

  /** Resolves when there is something new. */
  news() {
    this.#wake ??= deferred();
    return this.#wake.promise;
  }

  rouse() {
    this.#wake?.resolve();
    this.#wake = null;
  }

  clear() {
    this.#messages.length = 0;
  }
}

/** One call: the state between a Stream and the sockets. */
class Call {
  #options;
  #body; // that of `open`, as text, or null
  #due; // by performance.now(); Infinity without a timeout
  #timer = null;
  #release = () => {}; // the signal
  #cause = undefined;
  #left; // called once, when the call has ended
  session = null; // from the `open` on
  result = null; // the status, when it has ended
  headers = deferred();
  ended = deferred();
  stream = new Stream(this);

  constructor(id, method, options, left) {
    const { body, end, timeout = Infinity, credit } = options;
    if (!Number.isInteger(credit) || credit < 1 || credit > MOST_CREDIT) {
      throw new RangeError("credit must be a whole number from 1 to 2^31 - 1");
    }
    if (!(timeout > 0)) throw new RangeError("timeout must be above 0");
    this.id = id;
    this.method = method;
    this.#options = { ...options, metadata: pairsOf(options.metadata) };
    this.#body = body === undefined ? null : textOf(body);
    this.#left = left;
    this.#due = performance.now() + timeout;
    this.outgoing = new Outgoing(id, end === true);
    this.incoming = new Incoming(credit);
  }

  get sent() {
    const opened = this.session !== null && this.#body !== null;
    return this.outgoing.sent + (opened ? 1 : 0);
  }

  /** From now on it can end. */
  begin() {
    if (this.#due < Infinity) this.#arm(this.#due - performance.now());
    this.#release = onAbort(this.#options.signal, (reason) => this.cancel(reason));
  }

  #arm(ms) {
    this.#timer = setTimeout(() => this.#late(), Math.min(ms, LONGEST));
  }

  #late() {
    // The server keeps the deadline of what was opened; this is for one that can't be reached.
    const grace = this.session === null ? 0 : GRACE;
    const left = this.#due + grace - performance.now();
    if (left > 0) this.#arm(left);
    else this.leave(new RpcError(Code.DEADLINE_EXCEEDED, "The call took too long."));
  }

  /** Begins upon a session that has a link. */
  open(session) {
    try {
      if (this.#body !== null) checkSize(bytesOf(this.#body), session.limits);
    } catch (error) {
      this.finish(error);
      return;
    }
    this.session = session;
    session.calls.set(this.id, this);
    this.outgoing.begin(session.limits, session.resumable);
    this.#sayOpen();
    this.pump();
  }

  #sayOpen() {
    const { metadata, credit, end } = this.#options;
    const left = Math.max(1, Math.ceil(this.#due - performance.now()));
    const head = {
      t: "open",
      id: this.id,
      method: this.method,
      metadata: metadata.length > 0 ? metadata : undefined,
      timeout_ms: left < Infinity ? left : undefined,
      credit,
    };
    this.#say(frameOf(head, this.#body, end));
  }

  #say(text) {
    this.session?.link?.send(text);
  }

  send(message) {
    const text = textOf(message);
    if (this.result !== null) return deferred().reject(this.#stopped()).promise;
    const sent = this.outgoing.push(text);
    this.pump();
    return sent;
  }

  end() {
    this.outgoing.end();
    this.pump();
  }

  /** Sends what may be sent. What can be sent again needs no link for now. */
  pump() {
    if (this.result !== null || !(this.session?.resumable || this.session?.link)) return;
    try {
      for (const frame of this.outgoing.frames()) this.#say(frame);
    } catch (error) {
      this.leave(error);
    }
  }

  grant({ n = 0, seq = 0 }) {
    this.outgoing.acknowledge(seq);
    this.outgoing.grant(n);
    this.pump();
  }

  /** Goes on upon the session's new link, from what the server has. */
  resume({ seq = 0, granted = 0 }) {
    for (const frame of this.outgoing.again(seq, granted)) this.#say(frame);
    this.#giveBack();
    this.pump();
  }

  /** Begins once more upon the session's new link: the server never saw its `open`. */
  reopen() {
    this.#sayOpen();
    this.resume({});
  }

  /** Whether a numbered frame is new. Where one is missing the call ends: it would never come. */
  isNew({ seq }) {
    if (!this.session.resumable) return true;
    if (seq <= this.incoming.seq) return false;
    if (seq !== this.incoming.seq + 1) {
      this.leave(new RpcError(Code.INTERNAL, "The gateway left out a frame."));
    }
    this.incoming.seq = seq;
    return true;
  }

  begun(metadata = []) {
    this.headers.resolve(metadata);
  }

  receive(message) {
    if (this.result !== null) return;
    this.begun();
    if (this.incoming.credit > 0) this.incoming.add(message);
    else this.leave(new RpcError(Code.INTERNAL, "The gateway sent more than it was granted."));
  }

  /** Gives the next message, in the form of an iterator. */
  async take() {
    while (this.incoming.isEmpty && this.result === null) await this.incoming.news();
    if (!this.incoming.isEmpty) {
      const value = this.incoming.take();
      this.#giveBack();
      return { done: false, value };
    }
    if (this.result.code !== Code.OK) throw this.#error();
    return { done: true, value: undefined };
  }

  #giveBack() {
    if (this.result !== null || !this.session?.link) return;
    const n = this.incoming.grant();
    if (n > 0) this.#sayCredit(n);
  }

  #sayCredit(n) {
    const seq = this.session.resumable ? this.incoming.seq : undefined;
    this.incoming.said = this.incoming.seq;
    this.#say(JSON.stringify({ t: "credit", id: this.id, n, seq }));
  }

  /** Says what has come, where the server keeps it until then. */
  acknowledge() {
    if (this.incoming.seq > this.incoming.said) this.#sayCredit(this.incoming.grant());
  }

  cancel(reason) {
    this.incoming.clear();
    this.leave(new RpcError(Code.CANCELLED, "The call was cancelled.", { cause: reason }));
  }

  /** Ends from this side. */
  leave(error) {
    if (this.result !== null) return;
    this.finish(error);
    this.sayCancel();
  }

  sayCancel() {
    this.#say(JSON.stringify({ t: "cancel", id: this.id }));
  }

  /** Ends, with a status or an RpcError. Messages that have come can still be taken. */
  finish({ code, status, message, details, trailers, cause }) {
    if (this.result !== null) return;
    this.result = Object.freeze({ code, status, message, details, trailers });
    this.#cause = cause;
    clearTimeout(this.#timer);
    this.#release();
    this.outgoing.stop(this.#stopped());
    this.begun();
    this.ended.resolve(this.result);
    this.incoming.rouse();
    this.#left(this);
  }

  #error() {
    const { code, message, details, trailers } = this.result;
    return new RpcError(code, message, { details, trailers, cause: this.#cause });
  }

  /** What further messages are told. */
  #stopped() {
    if (this.result.code !== Code.OK) return this.#error();
    return new RpcError(Code.CANCELLED, "The call has ended.");
  }
}

/** The streams that live and die together; with resume they outlive their link. */
class Session {
  link = null; // that which carries their frames
  calls = new Map(); // by id: those whose status the server has not said
  #unsaid = 0; // characters

  constructor(id, limits, resumable) {
    this.id = id;
    this.limits = limits;
    this.resumable = resumable;
  }

  /** Takes note that so many characters have come: what the server keeps of them is bounded. */
  count(size) {
    if (!this.resumable || (this.#unsaid += size) < MOST_UNSAID) return;
    this.#unsaid = 0;
    for (const call of this.calls.values()) call.acknowledge();
  }

  /** Returns what `hello` says to come back; streams that were left are not named. */
  claim() {
    const [seen, granted] = [{}, {}];
    for (const [id, { result, incoming }] of this.calls) {
      if (result !== null) {
        this.calls.delete(id);
        continue;
      }
      incoming.grant();
      seen[id] = incoming.seq;
      granted[id] = incoming.granted;
    }
    return { session: this.id, seen, granted };
  }

  /** Goes on upon a new link, as `welcome` says; returns the calls that can't. */
  resume({ limits, resumed = [], last_id = 0 }) {
    this.limits = limits;
    const there = new Map(resumed.map((each) => [each.id, each]));
    const lost = [];
    for (const [id, call] of this.calls) {
      if (there.has(id) && call.result !== null) call.sayCancel();
      else if (there.has(id)) call.resume(there.get(id));
      else if (id > last_id && call.result === null) call.reopen();
      else lost.push(call);
    }
    return lost;
  }
}

/** One socket, and whether it is alive. */
class Link {
  #socket = null;
  #heard = false; // since the last look
  #asked = false; // at the last look
  #timer = null;
  session = null; // from `welcome` on
  since = Infinity; // when that was, by performance.now()
  token = undefined; // that which `hello` says
  leaving = false; // the server said goaway: it takes no new streams
  done = false; // nothing more is to do with it

  dial(url, WebSocket, { opened, received, closed }) {
    const socket = new WebSocket(url, [SUBPROTOCOL]);
    this.#socket = socket;
    socket.onopen = () => {
      if (!this.done) opened();
    };
    socket.onmessage = ({ data }) => {
      this.#heard = true;
      if (!this.done) received(data);
    };
    socket.onclose = ({ code, reason }) => closed(code, reason);
    socket.onerror = () => {}; // `close` follows, and says more; Node wants a listener
  }

  send(text) {
    if (!this.done) this.#socket.send(text);
  }

  /** Calls `act` in a while; one thing at a time. */
  after(ms, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, Math.min(ms, LONGEST));
  }

  /** Calls `dead` when nothing comes any more, though it was asked for. */
  watch(ms, dead) {
    this.after(ms, () => {
      if (this.#asked && !this.#heard) {
        dead();
        return;
      }
      this.#asked = !this.#heard;
      this.#heard = false;
      if (this.#asked) this.send('{"t":"ping","data":""}');
      this.watch(ms, dead);
    });
  }

  leave(code) {
    this.done = true;
    clearTimeout(this.#timer);
    this.#socket?.close(code);
  }
}

class Gateway extends EventTarget {
  #url;
  #WebSocket;
  #token;
  #resume;
  #credit;
  #backoff;
  #release = () => {}; // the signal
  #state = "connecting";
  #link = null; // the newest
  #links = new Set(); // all that are not done: older ones have their last streams
  #session = null; // the newest
  #waiting = []; // calls whose `open` was not sent
  #calls = new Set(); // that have not ended
  #lastId = 0;
  #attempt = 0; // how many have failed in a row
  #timer = null; // until the next attempt
  #auths = []; // {token, done}: tokens that the gateway has not taken, the oldest first
  #why = null; // closed: the RpcError of all further calls

  // What is done with each kind of frame; those of other kinds are of a later version.
  #frames = {
    welcome: (link, frame) => this.#welcomed(link, frame),
    headers: ofCall((call, frame) => call.isNew(frame) && call.begun(frame.metadata)),
    message: ofCall((call, frame) => call.isNew(frame) && call.receive(frame.body)),
    credit: ofCall((call, frame) => call.grant(frame)),
    status: ofCall((call, frame) => call.isNew(frame) && this.#ended(call, frame)),
    auth_ok: () => this.#auths.shift()?.done.resolve(),
    auth_expiring: (link) => this.#renew(link),
    ping: (link, { data }) => link.send(JSON.stringify({ t: "pong", data })),
    goaway: (link, frame) => this.#leave(link, frame),
  };

  constructor(url, { token, resume = false, signal, WebSocket, ...more } = {}) {
    super();
    this.#url = addressOf(url);
    this.#WebSocket = WebSocket ?? globalThis.WebSocket;
    if (this.#WebSocket === undefined) throw new TypeError("options.WebSocket is needed here");
    this.#token = token;
    this.#resume = resume;
    this.#credit = more.credit ?? CREDIT;
    this.#backoff = more.backoff ?? fullJitter;
    globalThis.addEventListener?.("online", this.#hurry);
    this.#connect();
    this.#release = onAbort(signal, () => this.close());
  }

  /** "connecting", "open", "waiting" (until the next attempt to connect), or "closed". */
  get state() { return this.#state; }

  /** The streams that have not ended. */
  get streams() { return Array.from(this.#calls, ({ stream }) => stream); }

  /**
   * Calls a method that takes a message and answers with one.
   *
   * @returns {Promise<object>} the answer
   * @throws {RpcError} where the status is not OK
   */
  async call(method, body = {}, options = {}) {
    // A credit of 3: the first message grants nothing, a second one shows that it is no such method.
    const call = this.#begin(method, { ...options, body, end: true, credit: 3 });
    const { done, value } = await call.take();
    if (done) throw new RpcError(Code.INTERNAL, "The call ended without a message.");
    if ((await call.take()).done) return value;
    call.cancel();
    throw new RpcError(Code.INTERNAL, "The method sends several messages: use stream().");
  }

  /** Calls a method of any kind. */
  stream(method, { credit = this.#credit, ...options } = {}) {
    return this.#begin(method, { ...options, credit }).stream;
  }

  /**
   * Gives a new token to the open socket, and to those that follow, unless a function is asked.
   *
   * @returns {Promise<void>} resolves when the gateway has taken it
   */
  auth(token) {
    if (typeof this.#token !== "function") this.#token = token;
    const done = deferred();
    if (this.#why !== null) return done.reject(this.#why).promise;
    this.#auths.push({ token, done });
    const link = this.#link;
    if (link.session !== null) this.#sayAuth(link, token);
    return done.promise;
  }

  /** Leaves the socket and connects again, as if it had broken. */
  reconnect() {
    if (this.#timer !== null) this.#hurry();
    else if (this.#why === null) this.#lost(this.#link, TAKEN_OVER, "reconnect");
  }

  /** Ends everything; open streams end with CANCELLED. */
  close() {
    this.#shut(new RpcError(Code.CANCELLED, "The connection was closed."), { code: NORMAL });
  }

  #begin(method, options) {
    const call = new Call(this.#lastId + 1, method, options, (ended) => this.#left(ended));
    this.#lastId = call.id;
    this.#calls.add(call);
    this.#waiting.push(call);
    this.#tell("stream", { stream: call.stream, ended: false });
    call.begin();
    if (this.#why !== null) call.finish(this.#why);
    if (this.#waiting.length > MOST_WAITING) {
      call.finish(new RpcError(Code.RESOURCE_EXHAUSTED, "Too many calls wait to be sent."));
    }
    this.#openNext();
    return call;
  }

  /** Opens what waits, as far as the session takes more streams. */
  #openNext() {
    const session = this.#session;
    if (!session?.link || session.link.leaving) return;
    while (this.#waiting.length > 0 && session.calls.size < session.limits.streams) {
      this.#waiting.shift().open(session);
    }
  }

  #left(call) {
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#calls.delete(call);
    this.#tell("stream", { stream: call.stream, ended: true });
  }

  #ended(call, frame) {
    call.session.calls.delete(call.id);
    call.acknowledge();
    call.finish(statusOf(frame));
    this.#tidy();
    this.#openNext();
  }

  #connect() {
    this.#timer = null;
    const link = new Link();
    this.#link = link;
    this.#links.add(link);
    this.#tidy();
    this.#enter("connecting");
    link.after(PATIENCE, () => this.#lost(link, BROKEN, "no welcome in time"));
    this.#dial(link);
  }

  async #dial(link) {
    try {
      link.token = typeof this.#token === "function" ? await this.#token() : this.#token;
      if (link.done) return;
      link.dial(this.#url, this.#WebSocket, {
        opened: () => this.#opened(link),
        received: (data) => this.#received(link, data),
        closed: (code, reason) => this.#lost(link, code, reason),
      });
    } catch (error) {
      this.#lost(link, BROKEN, String(error));
    }
  }

  #opened(link) {
    const hello = { t: "hello", token: link.token ?? undefined };
    if (this.#resume) hello.features = ["resume"];
    if (this.#session?.resumable) {
      // From here on the old socket is not listened to: what comes by it is sent again by this one.
      const old = this.#session.link;
      this.#session.link = null;
      if (old !== null) this.#drop(old, TAKEN_OVER);
      Object.assign(hello, this.#session.claim());
    }
    link.send(JSON.stringify(hello));
  }

  #received(link, data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      this.#lost(link, BAD_FRAME, "the other side does not speak the protocol");
      return;
    }
    const kind = frame?.t;
    if (Object.hasOwn(this.#frames, kind)) this.#frames[kind](link, frame);
    link.session?.count(data.length);
  }

  #welcomed(link, frame) {
    const before = this.#session;
    const resumed = before?.resumable === true && before.id === frame.session;
    const session = resumed
      ? before
      : new Session(frame.session, frame.limits, frame.resume_ms !== undefined);
    if (before?.resumable && !resumed) this.#bury(before);
    this.#session = session;
    link.session = session;
    session.link = link;
    link.since = performance.now();
    link.watch(frame.ping_ms, () => this.#lost(link, NO_ANSWER, "no answer to a ping"));
    if (resumed) for (const call of session.resume(frame)) this.#loseCall(call);
    const said = this.#auths.findLastIndex(({ token }) => token === link.token);
    for (const { done } of this.#auths.splice(0, said + 1)) done.resolve();
    for (const { token } of this.#auths) this.#sayAuth(link, token);
    this.#enter("open", { resumed });
    this.#openNext();
  }

  /** Ends the streams of a session that is no more. */
  #bury(session) {
    for (const call of session.calls.values()) this.#loseCall(call);
  }

  #loseCall(call) {
    call.session.calls.delete(call.id);
    // Nobody can know how far it came.
    call.finish(new RpcError(Code.UNAVAILABLE, "The connection broke, and the stream with it."));
  }

  #leave(link, { reason, reconnect_ms = 0 }) {
    link.leaving = true;
    if (link === this.#link && this.#timer === null) this.#wait(reconnect_ms, { reason });
  }

  #drop(link, code) {
    this.#links.delete(link);
    link.leave(code);
  }

  /** Leaves the older links whose last streams have ended. */
  #tidy() {
    for (const link of this.#links) {
      const { session } = link;
      const idle = session === null || (!session.resumable && session.calls.size === 0);
      if (link !== this.#link && idle) this.#drop(link, NORMAL);
    }
  }

  #lost(link, code, reason) {
    if (link.done) return;
    this.#drop(link, code >= TAKEN_OVER ? code : TAKEN_OVER);
    const { session } = link;
    if (session?.link === link) {
      session.link = null;
      if (!session.resumable) this.#bury(session);
    }
    if (link !== this.#link) return;
    if (performance.now() - link.since >= STABLE) this.#attempt = 0;
    if (!comesBack(code)) this.#shut(refusalOf(code, reason), { code, reason });
    else if (this.#timer === null) {
      const delay = this.#backoff(this.#attempt);
      this.#attempt += 1;
      this.#wait(delay, { code, reason });
    }
  }

  #wait(delay, detail) {
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#enter("waiting", { delay, ...detail });
  }

  /** Waits no longer: the network is back. */
  #hurry = () => {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  #shut(why, detail) {
    if (this.#why !== null) return;
    this.#why = why;
    clearTimeout(this.#timer);
    this.#timer = null;
    globalThis.removeEventListener?.("online", this.#hurry);
    this.#release();
    for (const link of this.#links) {
      if (link.session !== null) link.session.link = null;
      this.#drop(link, NORMAL);
    }
    for (const call of this.#calls) call.finish(why);
    for (const { done } of this.#auths.splice(0)) done.reject(why);
    this.#enter("closed", detail);
  }

  #sayAuth(link, token) {
    link.send(JSON.stringify({ t: "auth", token }));
  }

  async #renew(link) {
    if (typeof this.#token !== "function") return;
    try {
      const token = await this.#token();
      this.#auths.push({ token, done: deferred() });
      this.#sayAuth(link, token);
    } catch {
      // Without a new token the gateway closes the socket with 4003; the next one asks again.
    }
  }

  #enter(state, detail = {}) {
    this.#state = state;
    this.#tell("state", { state, attempt: this.#attempt, ...detail });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** What is done with a frame of a stream; one of a stream that has ended is late, and no matter. */
function ofCall(act) {
  return (link, frame) => {
    const call = link.session?.calls.get(frame.id);
    if (call !== undefined) act(call, frame);
  };
}

/** Writes a frame around a body that is text already. */
function frameOf(head, body, end) {
  const members = JSON.stringify(head).slice(0, -1);
  return `${members}${body === null ? "" : `,"body":${body}`}${end ? ',"end":true' : ""}}`;
}

function textOf(message) {
  const text = JSON.stringify(message);
  if (text === undefined) throw new TypeError("a message is an object");
  return text;
}

const encoder = new TextEncoder();

function bytesOf(text) {
  return encoder.encode(text).length;
}

function checkSize(size, { message_size: most }) {
  if (size <= most) return;
  const message = `The message has ${size} bytes, the gateway takes ${most}.`;
  throw new RpcError(Code.RESOURCE_EXHAUSTED, message);
}

function statusOf({ code, message = "", details = [], trailers = [] }) {
  return { code, status: NAMES[code] ?? "UNKNOWN", message, details, trailers };
}

function refusalOf(code, reason) {
  const message = `The gateway closed the connection: ${code} ${reason}`.trim();
  return new RpcError(REFUSALS[code] ?? Code.UNAVAILABLE, message);
}

/** Whether to connect again after a close code: the gateway's own, else those of RFC 6455. */
function comesBack(code) {
  if (code >= 4000) return code < 4200;
  return ![1002, 1003, 1007, 1008, 1009, 1010].includes(code);
}

/** Metadata as a list of pairs; bytes are written in base64. */
function pairsOf(metadata = []) {
  const pairs = Symbol.iterator in metadata ? [...metadata] : Object.entries(metadata);
  return pairs.map(([key, value]) => [
    key,
    value instanceof Uint8Array ? btoa(String.fromCharCode(...value)) : String(value),
  ]);
}

/** A WebSocket's URL; a relative one is one of the page. */
function addressOf(url) {
  const address = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
  address.protocol = address.protocol.replace(/^http/, "ws");
  return address.href;
}

function onAbort(signal, act) {
  if (!signal) return () => {};
  const listener = () => act(signal.reason);
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

/** A promise with its ends; that it rejects is told to whoever waits, and is no accident. */
function deferred() {
  const self = {};
  self.promise = new Promise((resolve, reject) => {
    self.resolve = resolve;
    self.reject = (error) => {
      reject(error);
      return self;
    };
  });
  self.promise.catch(() => {});
  return self;
}
