// The types of client.js. Messages are what they are in JSON, of whatever type you say.

/**
 * Metadata as it is sent: values are printable ASCII and not empty; those of keys that end with
 * `-bin` are bytes, or base64.
 */
export type Metadata =
  | Iterable<readonly [string, string | Uint8Array]>
  | Readonly<Record<string, string | Uint8Array>>;

/** Metadata as it comes: pairs in order; values of keys that end with `-bin` are base64. */
export type Pairs = readonly (readonly [string, string])[];

/** A `google.rpc` detail of an error, or whatever a service put there. */
export type Detail = { readonly "@type": string; readonly [member: string]: unknown };

export type StatusName =
  | "OK"
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/** The codes of gRPC: `Code.NOT_FOUND` is 5. */
export const Code: Readonly<Record<StatusName, number>>;

/** How a call ended. */
export interface Status {
  readonly code: number;
  readonly status: StatusName;
  readonly message: string;
  readonly details: readonly Detail[];
  readonly trailers: Pairs;
}

/** A call that did not end with OK. What this side ends has the same codes. */
export class RpcError extends Error implements Status {
  constructor(
    code: number,
    message: string,
    more?: { details?: readonly Detail[]; trailers?: Pairs; cause?: unknown },
  );
  readonly code: number;
  readonly status: StatusName;
  readonly details: readonly Detail[];
  readonly trailers: Pairs;
}

export interface ConnectOptions {
  /**
   * Who calls; a function is asked before each connection, and when a token is about to expire.
   * Where the gateway refuses what it gave, it is asked once more.
   */
  token?: string | null | (() => string | null | undefined | Promise<string | null | undefined>);
  /** Have streams go on over a broken socket, where the gateway offers it. Default: false. */
  resume?: boolean;
  /** Closes the connection when it is aborted. */
  signal?: AbortSignal;
  /** Messages that each stream may be sent before some are taken. Default: 64. */
  credit?: number;
  /** Milliseconds to wait before an attempt; `attempt` counts from 0. Default: `fullJitter`. */
  backoff?: (attempt: number) => number;
  /** The class to dial with, where there is no global one (Node 20: that of the package `ws`). */
  WebSocket?: SocketClass;
}

/** The part of the browsers' WebSocket that is used. */
export type SocketClass = new (url: string, protocols: string[]) => {
  onopen: ((event: any) => any) | null;
  onmessage: ((event: any) => any) | null;
  onclose: ((event: any) => any) | null;
  onerror: ((event: any) => any) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
};

export interface CallOptions {
  /** Cancels the call when it is aborted; its reason is the error's `cause`. */
  signal?: AbortSignal;
  /** Milliseconds that the call may take; the wait for a connection, and for its turn, included. */
  timeout?: number;
  metadata?: Metadata;
}

export interface StreamOptions<Request = unknown> extends CallOptions {
  /** The first message, or the only one. */
  body?: Request;
  /** Says that there are no more messages than `body`. */
  end?: boolean;
  /** Messages that may come before some are taken; half of them are granted at a time. */
  credit?: number;
}

/** One call. Reading it gives its messages, and throws an RpcError unless it ended with OK. */
export interface Stream<Request = unknown, Reply = unknown> extends AsyncIterable<Reply> {
  readonly id: number;
  readonly method: string;
  /** Messages that were sent; `body` is one. */
  readonly sent: number;
  /** Messages that have come, be they taken or not. */
  readonly received: number;
  /** How many messages may be sent, and may come, before the other side grants more. */
  readonly credit: { readonly send: number; readonly receive: number };
  /** The initial metadata; empty where the call ended without. Never rejects. */
  readonly headers: Promise<Pairs>;
  /** How the call ended. Never rejects. */
  readonly status: Promise<Status>;
  /**
   * Sends a message. Resolves when it has gone out, as credit allows; rejects with an RpcError
   * where the call ends before.
   *
   * @throws {TypeError} what is given is no message, or the stream was ended
   */
  send(message: Request): Promise<void>;
  /** Says that there are no more messages; those that wait go out before. */
  end(): void;
  /** Leaves the call: it ends with CANCELLED. Leaving a loop over it does the same. */
  cancel(reason?: unknown): void;
}

export type State = "connecting" | "open" | "waiting" | "closed";

/** What a `state` event tells. */
export interface StateDetail {
  readonly state: State;
  /** How many attempts to connect have failed in a row. */
  readonly attempt: number;
  /** Of `waiting`: milliseconds until the next attempt. */
  readonly delay?: number;
  /**
   * Of `waiting` and `closed`: the close code of the socket, if it is one that ended. In Node, with
   * the package `ws`, it is the status of HTTP where the handshake was answered with one.
   */
  readonly code?: number;
  readonly reason?: string;
  /** Of `open`: whether the streams of the socket before go on. */
  readonly resumed?: boolean;
}

/** What a `stream` event tells: one has begun or ended. */
export interface StreamDetail {
  readonly stream: Stream;
  readonly ended: boolean;
}

export interface GatewayEvents {
  state: CustomEvent<StateDetail>;
  stream: CustomEvent<StreamDetail>;
}

/** A connection to a gateway, which is kept up. */
export interface Gateway extends EventTarget {
  readonly state: State;
  /** The streams that have not ended. */
  readonly streams: readonly Stream[];
  /**
   * Calls a method (`package.Service/Method`) that takes a message and answers with one.
   *
   * @param body the message; `{}` where it is left out
   * @throws {RpcError} (as a rejection) where the status is not OK
   * @throws {TypeError | RangeError} (the same) what is given can't be; nothing is sent
   */
  call<Reply = any, Request = unknown>(
    method: string,
    body?: Request,
    options?: CallOptions,
  ): Promise<Reply>;
  /**
   * Calls a method of any kind.
   *
   * @throws {TypeError} what is given is no method, no message, no metadata, or no option
   * @throws {RangeError} `credit` or `timeout` is out of range
   */
  stream<Reply = any, Request = unknown>(
    method: string,
    options?: StreamOptions<Request>,
  ): Stream<Request, Reply>;
  /**
   * Gives a new token to the open socket, and to those that follow, unless a function is asked.
   * Resolves when the gateway has taken it.
   *
   * @throws {TypeError} it is no text of visible ASCII characters
   */
  auth(token: string): Promise<void>;
  /** Leaves the socket and connects again, as if it had broken; where it waits, it waits no more. */
  reconnect(): void;
  /** Ends everything for good; open streams end with CANCELLED. */
  close(): void;

  addEventListener<Type extends keyof GatewayEvents>(
    type: Type,
    listener: (event: GatewayEvents[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof GatewayEvents>(
    type: Type,
    listener: (event: GatewayEvents[Type]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/**
 * Connects to a gateway, at once. In a page, the connection is closed when the page goes.
 *
 * @param url of the gateway's `websocket.path`; in a page it may be relative
 * @throws {TypeError} the URL is none, an option can't be or is unknown, or there is no WebSocket
 *   class
 * @throws {RangeError} `credit` is out of range
 */
export function connect(url: string | URL, options?: ConnectOptions): Gateway;

/**
 * The time to wait before an attempt to connect: full jitter, as a crowd of clients should.
 *
 * @param attempt how many have failed before, from 0
 * @returns milliseconds: up to 250, and twice as many with each attempt, 30,000 at most
 */
export function fullJitter(attempt: number): number;
