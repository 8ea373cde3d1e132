/**
 * Calls gRPC methods of all four kinds over one WebSocket, through the gateway: the multiplexed
 * protocol in JSON (`grpcws.v1.json`, specified in docs/websocket.md).
 *
 * It connects by itself, again and again where the socket breaks. Each stream has a credit in both
 * directions, so that neither side holds more than was granted. With `resume` the streams of a
 * broken socket go on upon the next one, and nothing is lost or doubled.
 *
 * From the outside in: a `Gateway` keeps up `Link`s (sockets) and has `Session`s (streams that live
 * and die together). A `Call` is one stream: what it sends is `Outgoing`, what it gets `Incoming`,
 * and its maker holds it as a `Stream`. What is public is described in client.d.ts.
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
const JITTER = 250; // ms by which frames may come closer together than they were sent
const LONGEST = 2 ** 31 - 1; // ms of a timer

const TOO_LONG = "The call took too long.";

const NORMAL = 1000;
const BROKEN = 1006; // what a browser reports of a connection without an end; it is never sent
const TAKEN_OVER = 4000;
const NO_ANSWER = 4002;
const BAD_FRAME = 4400;
const UNAUTHENTICATED = 4401;

/** Statuses of HTTP that refuse for now: Request Timeout, Too Early, Too Many Requests. */
const PASSING = [408, 425, 429];

/** What calls end with where the gateway refuses to be connected to. */
const REFUSALS = {
  401: Code.UNAUTHENTICATED,
  403: Code.PERMISSION_DENIED,
  4401: Code.UNAUTHENTICATED,
  4403: Code.PERMISSION_DENIED,
  4429: Code.RESOURCE_EXHAUSTED,
};

/** A call that did not end with OK. */
export class RpcError extends Error {
  constructor(code, message, { details = [], trailers = [], cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "RpcError";
    this.code = code;
    this.status = NAMES[code] ?? "UNKNOWN";
    this.details = details;
    this.trailers = trailers;
  }
}

/** The milliseconds to wait before an attempt to connect: full jitter, as a crowd should. */
export function fullJitter(attempt) {
  return Math.random() * Math.min(30_000, 250 * 2 ** attempt);
}

/** Connects to a gateway, at once. */
export function connect(url, options = {}) {
  checkOptions(options, CONNECT_OPTIONS);
  return new Gateway(url, options);
}

// The connection

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
  #waiting = []; // calls to be opened, by id
  #opening = null; // the timer until the pace allows the next `open`
  #calls = new Set(); // that have not ended
  #lastId = 0;
  #attempt = 0; // how many have failed in a row
  #timer = null; // until the next attempt
  #denied = false; // whether the last token was refused, and no other was taken since
  #auths = []; // {token, done}: tokens that the gateway has not taken, the oldest first
  #trouble = null; // the error that the last attempt, or the connection, ended with
  #why = null; // closed: the RpcError of all further calls

  // What a browser tells. A page that it keeps may be shown again. Any other is gone: without a
  // word of that, the gateway would have its calls wait for another socket.
  #told = {
    online: () => this.#hurry(),
    pagehide: ({ persisted }) => persisted || this.close(),
    pageshow: ({ persisted }) => persisted && this.reconnect(),
  };

  // What is done with each kind of frame; those of other kinds are of a later version.
  #frames = {
    welcome: (link, frame) => this.#welcomed(link, frame),
    headers: ofCall((call, frame) => call.isNew(frame) && call.begun(frame.metadata)),
    message: ofCall((call, frame) => call.isNew(frame) && call.receive(frame.body)),
    credit: ofCall((call, frame) => call.grant(frame)),
    status: ofCall((call, frame) => call.isNew(frame) && this.#ended(call, frame)),
    auth_ok: () => this.#auths.shift()?.done.resolve(),
    auth_expiring: (link) => this.#renew(link),
    ping: (link, { data }) => link.send({ t: "pong", data }),
    goaway: (link, frame) => this.#leave(link, frame),
  };

  constructor(url, { token, resume = false, credit, backoff, signal, WebSocket }) {
    super();
    this.#url = addressOf(url);
    this.#WebSocket = WebSocket ?? globalThis.WebSocket;
    if (this.#WebSocket === undefined) throw new TypeError("options.WebSocket is needed here");
    this.#token = token;
    this.#resume = resume;
    this.#credit = credit ?? CREDIT;
    this.#backoff = backoff ?? fullJitter;
    for (const type in this.#told) globalThis.addEventListener?.(type, this.#told[type]);
    this.#connect();
    this.#release = onAbort(signal, () => this.close());
  }

  get state() { return this.#state; }
  get streams() { return Array.from(this.#calls, ({ stream }) => stream); }

  async call(method, body = {}, options = {}) {
    checkOptions(options, CALL_OPTIONS);
    // A credit of 3: the first message grants nothing, a second one shows that it is no such method.
    const call = this.#begin(method, { ...options, body, end: true, credit: 3 });
    const { done, value } = await call.take();
    if (done) throw new RpcError(Code.INTERNAL, "The call ended without a message.");
    if ((await call.take()).done) return value;
    call.cancel();
    throw new RpcError(Code.INTERNAL, "The method sends several messages: use stream().");
  }

  stream(method, options = {}) {
    checkOptions(options, STREAM_OPTIONS);
    const { credit = this.#credit } = options;
    return this.#begin(method, { ...options, credit }).stream;
  }

  auth(token) {
    checkToken(token);
    if (typeof this.#token !== "function") this.#token = token;
    const done = deferred();
    if (this.#why !== null) done.reject(this.#why);
    else this.#newToken(this.#link, { token, done });
    return done.promise;
  }

  reconnect() {
    if (this.#timer !== null) this.#hurry();
    else if (this.#why === null) this.#lost(this.#link, TAKEN_OVER, "reconnect");
  }

  close() {
    this.#shut(new RpcError(Code.CANCELLED, "The connection was closed."), { code: NORMAL });
  }

  // Calls

  #begin(method, options) {
    const call = new Call(this.#lastId + 1, method, options, {
      left: () => this.#left(call),
      late: () => this.#late(),
    });
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

  /** Opens what waits, as far as the session takes more streams, and as fast as it does. */
  #openNext() {
    clearTimeout(this.#opening);
    while (this.#waiting.length > 0 && this.#hasRoom) {
      const wait = this.#link.pace.spend(performance.now());
      if (wait > 0) {
        this.#opening = setTimeout(() => this.#openNext(), Math.ceil(wait));
        return;
      }
      this.#waiting.shift().open(this.#session);
    }
  }

  get #hasRoom() {
    const session = this.#session;
    // A session that is moved or resumed has a link before it is ready: the state comes last.
    if (this.#state !== "open" || session.link === null) return false;
    return session.calls.size < session.limits.streams;
  }

  /** A status has come. */
  #ended(call, frame) {
    call.session.calls.delete(call.id);
    call.acknowledge();
    call.finish(statusOf(frame));
    this.#tidy();
    this.#openNext();
  }

  /** A call has ended, be it by its status or from this side. */
  #left(call) {
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#calls.delete(call);
    this.#tell("stream", { stream: call.stream, ended: true });
  }

  /** Why a call that was not sent is late. */
  #late() {
    if (this.#state === "open") return new RpcError(Code.DEADLINE_EXCEEDED, TOO_LONG);
    const cause = this.#trouble ?? undefined;
    const known = cause === undefined ? "" : `: ${wordsOf(cause)}`;
    return new RpcError(Code.UNAVAILABLE, `There is no connection${known}.`, { cause });
  }

  // Sockets

  async #connect() {
    const link = new Link();
    this.#timer = null;
    this.#link = link;
    this.#links.add(link);
    this.#tidy();
    this.#enter("connecting");
    link.after(PATIENCE, () => this.#lost(link, BROKEN, "no welcome in time"));
    try {
      const token = typeof this.#token === "function" ? await this.#token() : this.#token;
      if (link.done) return;
      link.token = givenToken(token);
      link.dial(this.#url, this.#WebSocket, {
        opened: () => this.#opened(link),
        received: (data) => this.#received(link, data),
        closed: (code, reason, error) => this.#lost(link, code, reason, error),
      });
    } catch (error) {
      if (error instanceof BadToken) this.#deny(error);
      this.#lost(link, BROKEN, String(error), error);
    }
  }

  /** Ends what waits to be sent: it can't be said for whom. */
  #deny(cause) {
    const message = `The function for the token gave none: ${cause.message}.`;
    const error = new RpcError(Code.UNAUTHENTICATED, message, { cause });
    for (const call of Array.from(this.#waiting)) call.finish(error);
  }

  #opened(link) {
    const session = this.#session;
    const hello = { t: "hello", token: link.token ?? undefined };
    if (this.#resume) hello.features = ["resume"];
    if (session?.resumable) {
      // From here on the old socket is not listened to: what comes by it is sent again by this one.
      if (session.link !== null) this.#drop(session.link, TAKEN_OVER);
      Object.assign(hello, session.claim());
    }
    link.send(hello);
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
    if (!resumed) this.#session = new Session(frame);
    if (before?.resumable && !resumed) before.lose();
    const session = this.#session;
    session.link = link;
    link.begin(session, frame, () => this.#lost(link, NO_ANSWER, "no answer to a ping"));
    if (resumed) {
      const { lost, unopened } = session.resume(frame);
      this.#waiting.unshift(...unopened);
      for (const call of lost) call.lose();
    }
    this.#denied = false;
    const said = this.#auths.findLastIndex(({ token }) => token === link.token);
    for (const { done } of this.#auths.splice(0, said + 1)) done.resolve();
    for (const { token } of this.#auths) link.send({ t: "auth", token });
    this.#trouble = null;
    this.#enter("open", { resumed });
    this.#openNext();
  }

  /** Takes note of a new token, which a socket that is open is told now. */
  #newToken(link, auth) {
    this.#auths.push(auth);
    if (link.session !== null) link.send({ t: "auth", token: auth.token });
  }

  async #renew(link) {
    if (typeof this.#token !== "function") return;
    try {
      const token = givenToken(await this.#token()) ?? null;
      if (token !== null) this.#newToken(link, { token, done: deferred() });
    } catch {
      // Without a new token the gateway closes the socket with 4003; the next one asks again.
    }
  }

  /** The gateway goes away: another socket is opened, then this one is left. */
  #leave(link, { reason, reconnect_ms = 0 }) {
    if (link === this.#link && this.#timer === null) this.#wait(reconnect_ms, { reason });
  }

  /** Leaves the older links whose last streams have ended. */
  #tidy() {
    for (const link of this.#links) {
      const { session } = link;
      const idle = session === null || (!session.resumable && session.calls.size === 0);
      if (link !== this.#link && idle) this.#drop(link, NORMAL);
    }
  }

  #drop(link, code) {
    this.#links.delete(link);
    if (link.session?.link === link) link.session.link = null;
    link.leave(code);
  }

  #lost(link, code, reason, error = closedWith(code, reason)) {
    if (link.done) return;
    this.#drop(link, code >= TAKEN_OVER ? code : TAKEN_OVER);
    if (link.session?.resumable === false) link.session.lose();
    if (link !== this.#link) return;
    this.#trouble = error;
    if (performance.now() - link.since >= STABLE) this.#attempt = 0;
    if (!comesBack(code) && !this.#asksAgain(code, error)) {
      this.#shut(refusalOf(code, error), { code, reason });
    } else if (this.#timer === null) {
      const delay = this.#backoff(this.#attempt);
      this.#attempt += 1;
      this.#wait(delay, { code, reason });
    }
  }

  /** Whether a function is asked for another token: once, for one may expire on its way. */
  #asksAgain(code, error) {
    if (code !== UNAUTHENTICATED || typeof this.#token !== "function" || this.#denied) return false;
    this.#denied = true;
    for (const { done } of this.#auths.splice(0)) done.reject(refusalOf(code, error));
    return true;
  }

  #wait(delay, detail) {
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#enter("waiting", { delay, ...detail });
  }

  /** Waits no longer: the network is back. */
  #hurry() {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #shut(why, detail) {
    if (this.#why !== null) return;
    this.#why = why;
    clearTimeout(this.#timer);
    clearTimeout(this.#opening);
    this.#timer = null;
    for (const type in this.#told) globalThis.removeEventListener?.(type, this.#told[type]);
    this.#release();
    for (const link of this.#links) this.#drop(link, NORMAL);
    for (const call of this.#calls) call.finish(why);
    for (const { done } of this.#auths.splice(0)) done.reject(why);
    this.#enter("closed", detail);
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

/** One socket: whether it is alive, and how fast it may open streams. */
class Link {
  #socket = null;
  #error = undefined; // what the class of the socket said of its end; browsers say nothing
  #heard = false; // since the last look
  #asked = false; // at the last look
  #timer = null;
  session = null; // from `welcome` on
  pace = null; // the same
  since = Infinity; // when that was, by performance.now()
  token = undefined; // that which `hello` says
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
    socket.onerror = ({ error }) => {
      this.#error = error; // `close` follows
    };
    socket.onclose = ({ code, reason }) => {
      const error = this.#error;
      closed(httpStatusOf(error) ?? code, reason || (error ? wordsOf(error) : ""), error);
    };
  }

  /** It was welcomed. `dead` is called when nothing comes any more, though it was asked for. */
  begin(session, { ping_ms, limits }, dead) {
    this.session = session;
    this.pace = new Pace(limits.opens);
    this.since = performance.now();
    this.#watch(ping_ms, dead);
  }

  send(head, body = null, end = false) {
    if (!this.done) this.#socket.send(frameOf(head, body, end));
  }

  /** Calls `act` in a while; one thing at a time. */
  after(ms, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, Math.min(ms, LONGEST));
  }

  #watch(ms, dead) {
    this.after(ms, () => {
      if (this.#asked && !this.#heard) {
        dead();
        return;
      }
      this.#asked = !this.#heard;
      this.#heard = false;
      if (this.#asked) this.send({ t: "ping", data: "" });
      this.#watch(ms, dead);
    });
  }

  leave(code) {
    this.done = true;
    clearTimeout(this.#timer);
    this.#socket?.close(code);
  }
}

/**
 * How often streams may be opened: `rate` in a second, a second's worth at once.
 *
 * The gateway counts them when they arrive, which may be closer together than they were sent. So
 * each is counted as if it arrived late.
 */
class Pace {
  #each; // ms
  #burst; // ms
  #fullAt = 0; // when as many as ever may be opened at once

  constructor(rate = Infinity) {
    this.#each = 1000 / rate;
    this.#burst = Math.max(1000, this.#each);
  }

  /** Takes one if there is one, and returns 0; else the milliseconds until there is. */
  spend(now) {
    const wait = Math.max(this.#fullAt - now, 0) + this.#each - this.#burst;
    if (wait > 0) return wait;
    this.#fullAt = Math.max(this.#fullAt, now + JITTER) + this.#each;
    return 0;
  }
}

/** The streams that live and die together; with resume they outlive their link. */
class Session {
  link = null; // that which carries their frames
  calls = new Map(); // by id: those whose status the server has not said
  #unsaid = 0; // characters

  constructor({ session, resume_ms, limits }) {
    this.id = session;
    this.resumable = resume_ms !== undefined;
    this.limits = limits;
    this.pool = new Pool(limits.session_buffer);
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

  /**
   * Goes on upon a new link, as `welcome` says. Returns the calls that can't: those that the server
   * does not have any more, and those that are to be opened anew.
   */
  resume({ resumed = [], last_id = 0 }) {
    const [back, lost, unopened] = [[], [], []];
    const there = new Map(resumed.map((each) => [each.id, each]));
    for (const [id, call] of this.calls) {
      if (there.has(id)) back.push(call);
      else if (id <= last_id) lost.push(call);
      else {
        this.calls.delete(id);
        call.session = null;
        call.outgoing.retract();
        if (call.result === null) unopened.push(call);
      }
    }
    // First those that were left: others may have used their bytes. New messages come last.
    back.sort((one, other) => (one.result === null) - (other.result === null));
    for (const call of back) call.resume(there.get(call.id));
    for (const call of back) call.pump();
    return { lost, unopened };
  }

  /** Ends all streams: the session is no more. */
  lose() {
    for (const call of this.calls.values()) call.lose();
  }
}

/**
 * Bytes that all streams of a session may have on the way together (`limits.session_buffer`).
 *
 * First come, first served: while one waits none passes it by, or a large message would wait for
 * ever. Who waits for credit of its own stream does not stand in the line.
 */
class Pool {
  #size;
  #bytes = 0;
  #line = new Map(); // each Outgoing that waits, and the bytes of its message
  #called = false; // the first of them

  constructor(size = Infinity) {
    this.#size = size;
  }

  /** Whether a message may go out now. If not, `pump` of its maker is called when it may. */
  ask(outgoing, size) {
    const [first = outgoing] = this.#line.keys();
    if (first === outgoing && this.#fits(size)) return true;
    this.#line.set(outgoing, size);
    return false;
  }

  #fits(size) {
    return this.#bytes === 0 || this.#bytes + size <= this.#size;
  }

  /** Takes note of a message that goes out, as it may. */
  take(outgoing, size) {
    this.#bytes += size;
    this.#line.delete(outgoing);
  }

  /** Takes note that bytes are off the way. Who waits goes on when all that is done now is done. */
  free(size) {
    this.#bytes -= size;
    this.#call();
  }

  /** Lets out who has ended, with all its bytes. */
  leave(outgoing, size) {
    this.#line.delete(outgoing);
    this.free(size);
  }

  #call() {
    if (this.#called || this.#line.size === 0) return;
    this.#called = true;
    queueMicrotask(() => {
      this.#called = false;
      // Who has sent and waits with its next message stands at the end, and is met once more.
      for (const [outgoing, size] of this.#line) {
        if (!this.#fits(size)) return;
        outgoing.pump();
      }
    });
  }
}

// One stream

/** One call, as its maker has it. */
class Stream {
  #call;

  constructor(call) {
    this.#call = call;
  }

  get id() { return this.#call.id; }
  get method() { return this.#call.method; }
  get sent() { return this.#call.sent; }
  get received() { return this.#call.incoming.received; }
  get credit() {
    return { send: this.#call.outgoing.credit, receive: this.#call.incoming.credit };
  }

  get headers() { return this.#call.headers.promise; }
  get status() { return this.#call.ended.promise; }

  send(message) { return this.#call.send(message); }
  end() { this.#call.end(); }
  cancel(reason) { this.#call.cancel(reason); }

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

/** One call: the state between a Stream and the sockets. */
class Call {
  #options;
  #body; // that of `open`, as text, or null
  #due; // by performance.now(); Infinity without a timeout
  #hooks; // {left, late}: called once, when it has ended; says why it is late before it was sent
  #timer = null;
  #release = () => {}; // the signal
  #cause = undefined;
  session = null; // while it is open
  result = null; // the status, when it has ended
  headers = deferred();
  ended = deferred();
  stream = new Stream(this);

  constructor(id, method, options, hooks) {
    const { body, end, timeout = Infinity, credit } = options;
    checkMethod(method);
    this.id = id;
    this.method = method;
    this.#options = { ...options, metadata: pairsOf(options.metadata) };
    this.#body = body === undefined ? null : textOf(body);
    this.#hooks = hooks;
    this.#due = performance.now() + timeout;
    this.outgoing = new Outgoing(end === true, () => this.pump());
    this.incoming = new Incoming(credit);
  }

  get sent() {
    const opened = this.session !== null && this.#body !== null;
    return this.outgoing.sent + (opened ? 1 : 0);
  }

  /** From now on it can end. */
  begin() {
    this.#watch();
    this.#release = onAbort(this.#options.signal, (reason) => this.cancel(reason));
  }

  /** Ends it when it is late. The server does so by itself, if it was opened and can be reached. */
  #watch() {
    const isSent = this.session !== null;
    const left = this.#due + (isSent ? GRACE : 0) - performance.now();
    if (left <= 0) {
      this.leave(isSent ? new RpcError(Code.DEADLINE_EXCEEDED, TOO_LONG) : this.#hooks.late());
    } else if (left < Infinity) {
      this.#timer = setTimeout(() => this.#watch(), Math.min(left, LONGEST));
    }
  }

  /** Opens it upon a session that has a link: for the first time, or where no `open` arrived. */
  open(session) {
    try {
      if (this.#body !== null) checkSize(bytesOf(this.#body), session.limits);
    } catch (error) {
      this.finish(error);
      return;
    }
    this.session = session;
    session.calls.set(this.id, this);
    const { metadata, credit, end } = this.#options;
    const left = Math.max(1, Math.ceil(this.#due - performance.now()));
    const head = {
      method: this.method,
      metadata: metadata.length > 0 ? metadata : undefined,
      timeout_ms: Number.isSafeInteger(left) ? left : undefined,
      credit,
    };
    this.#say("open", head, this.#body, end);
    this.outgoing.begin(session);
    this.pump();
  }

  #say(t, head, body, end) {
    this.session?.link?.send({ t, id: this.id, ...head }, body, end);
  }

  #sayMessage({ seq, text, end }) {
    this.#say("message", { seq }, text, end);
  }

  #sayCredit(n) {
    const seq = this.session.resumable ? this.incoming.seq : undefined;
    this.incoming.said = this.incoming.seq;
    this.#say("credit", { n, seq });
  }

  send(message) {
    const text = textOf(message);
    const sent = deferred();
    if (this.result !== null) sent.reject(this.#stopped());
    else this.outgoing.push(text, sent);
    this.pump();
    return sent.promise;
  }

  end() {
    this.outgoing.end();
    this.pump();
  }

  /** Sends what may be sent. What can be sent again needs no link for now. */
  pump() {
    if (this.result !== null || !(this.session?.resumable || this.session?.link)) return;
    try {
      for (const message of this.outgoing.due()) this.#sayMessage(message);
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
  resume({ seq, granted }) {
    if (this.result !== null) {
      this.#say("cancel");
      return;
    }
    for (const message of this.outgoing.again(seq, granted)) this.#sayMessage(message);
    this.#giveBack();
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
    this.#say("cancel"); // before others use the bytes of this one
    this.finish(error);
  }

  /** Ends because its session did. Nobody can know how far it came. */
  lose() {
    this.session.calls.delete(this.id);
    this.finish(new RpcError(Code.UNAVAILABLE, "The connection broke, and the stream with it."));
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
    this.#hooks.left();
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

/** What a stream has to say: what may go out by credit, and what may have to go out again. */
class Outgoing {
  #limits = null; // known when the stream is opened
  #pool = null; // the same
  #numbered = false;
  #waiting = []; // {text, size, end, done}: they wait for credit; text is null for a bare end
  #kept = []; // those that went out, with their `seq`, and that the server may not have
  #sizes = []; // bytes of each message that was sent and not granted since
  #bytes = 0; // the sum of them
  #granted = 0;
  #seq = 0;
  #ended; // nothing more will be said
  sent = 0;

  constructor(ended, pump) {
    this.#ended = ended;
    this.pump = pump; // sends what may go out
  }

  get credit() { return this.#granted - this.sent; }

  /** From now on messages may go out; numbered ones are kept until they are acknowledged. */
  begin({ limits, resumable, pool }) {
    this.#limits = limits;
    this.#pool = pool;
    this.#numbered = resumable;
    this.#granted = limits.credit;
  }

  /** All that went out never arrived, nor did its `open`: it waits to go out anew. */
  retract() {
    this.#waiting.unshift(...this.#kept.splice(0));
    this.#giveUp();
    this.#granted = this.#seq = this.sent = 0;
  }

  /** Nothing is on the way any more, and nothing asks to be. */
  #giveUp() {
    this.#pool?.leave(this, this.#bytes);
    this.#sizes.length = 0;
    this.#bytes = 0;
  }

  push(text, done) {
    if (this.#ended) throw new TypeError("the stream was ended: nothing can be sent");
    if (this.#waiting.length >= MOST_WAITING) {
      done.reject(new RpcError(Code.RESOURCE_EXHAUSTED, "Too many messages wait: await send()."));
    } else {
      this.#waiting.push({ text, size: bytesOf(text), end: false, done });
    }
  }

  end() {
    if (this.#ended) return;
    this.#ended = true;
    const last = this.#waiting.at(-1);
    if (last) last.end = true;
    else this.#waiting.push({ text: null, size: 0, end: true, done: deferred() });
  }

  /** Yields what may go out now; throws where the next message is larger than the server takes. */
  *due() {
    while (this.#waiting.length && this.#mayGo(this.#waiting[0])) {
      const message = this.#waiting.shift();
      if (message.text !== null) {
        this.sent += 1;
        this.#sizes.push(message.size);
        this.#bytes += message.size;
        this.#pool.take(this, message.size);
      }
      if (this.#numbered) {
        message.seq = ++this.#seq;
        this.#kept.push(message);
      }
      yield message;
      message.done.resolve();
    }
  }

  #mayGo({ text, size }) {
    if (text === null) return true;
    checkSize(size, this.#limits);
    const fits = this.#sizes.length === 0 || this.#bytes + size <= this.#limits.buffer;
    return this.credit > 0 && fits && this.#pool.ask(this, size);
  }

  /** Takes note of `n` more messages; the oldest ones are off the server's hands. */
  grant(n) {
    this.#granted = Math.min(this.#granted + n, this.sent + MOST_CREDIT);
    const freed = this.#sizes.splice(0, n).reduce((sum, size) => sum + size, 0);
    this.#bytes -= freed;
    this.#pool.free(freed);
  }

  /** Forgets what the server has. */
  acknowledge(seq) {
    while (this.#kept.length && this.#kept[0].seq <= seq) this.#kept.shift();
  }

  /** Returns what is to be sent again, where the server has the messages up to `seq`. */
  again(seq, granted) {
    this.acknowledge(seq);
    this.grant(Math.max(granted - this.#granted, 0));
    return this.#kept;
  }

  stop(error) {
    this.#ended = true;
    for (const { done } of this.#waiting.splice(0)) done.reject(error);
    this.#kept.length = 0;
    this.#giveUp();
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
  get isEmpty() { return this.#messages.length === 0; }

  add(message) {
    this.received += 1;
    this.#messages.push(message);
    this.rouse();
  }

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

// Frames

/** Writes a frame around a body that is text already. */
function frameOf(head, body, end) {
  const members = JSON.stringify(head).slice(0, -1);
  return `${members}${body === null ? "" : `,"body":${body}`}${end ? ',"end":true' : ""}}`;
}

function textOf(message) {
  const text = JSON.stringify(message);
  // In a frame null stands for no message.
  if (text === undefined || text === "null") throw new TypeError("a message is an object");
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

// Arguments

const METHOD = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\/[A-Za-z_]\w*$/;
const TOKEN = /^[!-~]+$/;
const KEY = /^[0-9a-z_.-]+$/;
const TEXT = /^[ -~]+$/;
const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** What options there are, and what each one must be; `metadata` and `body` are read later. */
const CALL_OPTIONS = { timeout: checkTimeout, metadata() {}, signal: checkSignal };
const STREAM_OPTIONS = { ...CALL_OPTIONS, body() {}, end: checkFlag, credit: checkCredit };
const CONNECT_OPTIONS = {
  token: (token) => token === null || typeof token === "function" || checkToken(token),
  resume: checkFlag,
  credit: checkCredit,
  backoff: checkFunction,
  signal: checkSignal,
  WebSocket: checkFunction,
};

function checkOptions(options, known) {
  if (options === null || typeof options !== "object") throw new TypeError("options are an object");
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      const near = nearest(name, Object.keys(known));
      throw new TypeError(`there is no option "${name}": did you mean "${near}"?`);
    }
    if (value !== undefined) known[name](value, name);
  }
}

/** The one of some names that becomes the given one by the fewest changes of a character. */
function nearest(name, names) {
  const changes = names.map((each) => distance(name.toLowerCase(), each.toLowerCase()));
  return names[changes.indexOf(Math.min(...changes))];
}

/** Levenshtein's distance. */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 0; i < one.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++) {
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (one[i] === other[j] ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1);
}

function checkMethod(method) {
  if (typeof method === "string" && METHOD.test(method)) return;
  throw new TypeError('a method has the form "package.Service/Method"');
}

function checkFlag(value, name) {
  if (typeof value !== "boolean") throw new TypeError(`${name} is true or false`);
}

function checkFunction(value, name) {
  if (typeof value !== "function") throw new TypeError(`${name} is a function or a class`);
}

function checkSignal(signal) {
  if (signal === null || typeof signal.addEventListener === "function") return;
  throw new TypeError("signal is an AbortSignal");
}

function checkTimeout(timeout) {
  if (typeof timeout !== "number") throw new TypeError("timeout is a number of milliseconds");
  if (!(timeout > 0)) throw new RangeError("timeout must be above 0");
}

function checkCredit(credit) {
  if (typeof credit !== "number") throw new TypeError("credit is a number of messages");
  if (!Number.isInteger(credit) || credit < 1 || credit > MOST_CREDIT) {
    throw new RangeError("credit must be a whole number from 1 to 2^31 - 1");
  }
}

/** What is given as a token is none; it is not said what it is. */
class BadToken extends TypeError {}

function checkToken(token) {
  if (typeof token === "string" && TOKEN.test(token)) return;
  throw new BadToken("a token is a text of visible ASCII characters");
}

/** What a function gave: a token, or null or undefined for none. */
function givenToken(token) {
  if (token !== null && token !== undefined) checkToken(token);
  return token;
}

/** Metadata as a list of pairs, the keys in lower case; bytes are written in base64. */
function pairsOf(metadata = {}) {
  if (metadata === null || typeof metadata !== "object") {
    throw new TypeError("metadata is an object, or a list of pairs");
  }
  return Array.from(Symbol.iterator in metadata ? metadata : Object.entries(metadata), pairOf);
}

function pairOf(pair) {
  if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") {
    throw new TypeError("an entry of metadata is a pair of a key and a value");
  }
  const key = pair[0].toLowerCase();
  if (!KEY.test(key)) throw new TypeError(`${JSON.stringify(key)} can't be a key of metadata`);
  const isBinary = key.endsWith("-bin");
  const value = isBinary && pair[1] instanceof Uint8Array ? base64Of(pair[1]) : pair[1];
  if (typeof value === "string" && (isBinary ? BASE64 : TEXT).test(value)) return [key, value];
  const wanted = isBinary ? "a Uint8Array, or base64" : "a text of printable ASCII characters";
  throw new TypeError(`the value of ${key} is ${wanted}`);
}

function base64Of(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

// Closes, addresses, promises

/**
 * Whether to connect again after a close code: the gateway's own, else those of RFC 6455. Below
 * them it is the status of HTTP that a handshake was answered with.
 */
function comesBack(code) {
  if (code < NORMAL) return code >= 500 || PASSING.includes(code);
  if (code >= 4000) return code < 4200;
  return ![1002, 1003, 1007, 1008, 1009, 1010].includes(code);
}

function refusalOf(code, cause) {
  const message = `The gateway refused the connection: ${cause.message}.`;
  return new RpcError(REFUSALS[code] ?? Code.UNAVAILABLE, message, { cause });
}

function closedWith(code, reason) {
  return new Error(`it was closed with ${code} ${reason}`.trim());
}

/** What an error says; that of several failed attempts at once has but a code. */
function wordsOf(error) {
  return error.message || error.code || String(error);
}

/** The status of HTTP that a handshake was answered with, if the package `ws` says so. */
function httpStatusOf(error) {
  const said = /^Unexpected server response: (\d{3})$/.exec(error?.message ?? "");
  return said === null ? undefined : Number(said[1]);
}

/** A WebSocket's URL; a relative one is one of the page. */
function addressOf(url) {
  const address = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
  address.protocol = address.protocol.replace(/^http/, "ws");
  if (!/^wss?:$/.test(address.protocol)) throw new TypeError(`${address} is no URL of a WebSocket`);
  address.hash = "";
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
  self.promise = new Promise((resolve, reject) => Object.assign(self, { resolve, reject }));
  self.promise.catch(() => {});
  return self;
}
