/**
 * Calls of all four kinds over one WebSocket, with types and errors like those of the other clients.
 * The protocol, and keeping up the connection, is `connection.ts`.
 */

import { connect as dial } from "./connection.js";
import type {
  ConnectOptions,
  connect,
  Gateway,
  CallOptions as Options,
  RpcError,
  Stream,
} from "./connection-types.js";
import { detailsOf, GatewayError, statusOf, type Kind } from "./errors.js";

/** What holds for one call. `timeout` is in milliseconds. */
export type SocketCallOptions = Options;

/** What holds for one call whose messages come in a stream. */
export interface SocketStreamOptions extends SocketCallOptions {
  /** Messages that may come before some are taken. */
  credit?: number;
}

/** What holds for the connection: the token, resuming, the pause between attempts. */
export type SocketOptions = ConnectOptions;

/** Messages that are sent as the gateway takes them: an array, a generator. */
export type Requests<Request> = Iterable<Request> | AsyncIterable<Request>;

/** A call that goes both ways. To read it gives the answers, and throws where it failed. */
export interface Duplex<Request, Reply> extends AsyncIterable<Reply> {
  /** Resolves when the message has gone out: who awaits it is as fast as the backend takes. */
  send(message: Request): Promise<void>;
  /** Says that there is nothing more to send. */
  end(): void;
  /** Leaves the call. */
  cancel(): void;
}

export class Socket {
  /** The connection: its state, its events, `auth` for a new token, `reconnect`. */
  readonly connection: Gateway;

  constructor(url: string, options: SocketOptions = {}) {
    this.connection = (dial as unknown as typeof connect)(url, options);
  }

  async unary<Reply>(method: string, body: unknown, options: Options = {}): Promise<Reply> {
    try {
      return await this.connection.call<Reply>(method, body, options);
    } catch (error) {
      throw failureOf(error, options);
    }
  }

  stream<Reply>(
    method: string,
    body: unknown,
    options: SocketStreamOptions = {},
  ): AsyncIterable<Reply> {
    const stream = this.connection.stream<Reply>(method, { ...options, body, end: true });
    return { [Symbol.asyncIterator]: () => repliesOf(stream, options) };
  }

  async collect<Request, Reply>(
    method: string,
    requests: Requests<Request>,
    options: Options = {},
  ): Promise<Reply> {
    const call = this.duplex<Request, Reply>(method, options);
    try {
      for await (const each of requests) await call.send(each);
    } catch (error) {
      // A call that has ended takes no more: how it ended says why. Else the requests failed.
      if (!(error instanceof GatewayError)) {
        call.cancel();
        throw error;
      }
    }
    call.end();
    const replies: Reply[] = [];
    for await (const reply of call) replies.push(reply); // to its end, which may be an error
    const [reply] = replies;
    if (reply !== undefined) return reply;
    throw new GatewayError("unreadable", "INTERNAL", "The call ended without a message.");
  }

  duplex<Request, Reply>(
    method: string,
    options: SocketStreamOptions = {},
  ): Duplex<Request, Reply> {
    const stream = this.connection.stream<Reply, Request>(method, options);
    return {
      send: (message) => stream.send(message).catch((error) => Promise.reject(failureOf(error, options))),
      end: () => stream.end(),
      cancel: () => stream.cancel(),
      [Symbol.asyncIterator]: () => repliesOf(stream, options),
    };
  }

  /** Ends the connection, and all calls with it. */
  close(): void {
    this.connection.close();
  }
}

async function* repliesOf<Reply>(
  stream: Stream<never, Reply>,
  options: Options,
): AsyncGenerator<Reply, void, undefined> {
  try {
    yield* stream;
  } catch (error) {
    throw failureOf(error, options);
  }
}

/** Codes that this side ends calls with, and why: an error that came has details or trailers. */
const OWN: { readonly [status: string]: Kind } = {
  CANCELLED: "aborted",
  UNAVAILABLE: "transport",
  DEADLINE_EXCEEDED: "timeout",
};

function failureOf(error: unknown, { signal }: Options): unknown {
  if (!(error instanceof Error) || error.name !== "RpcError") return error; // what can't be sent
  const { status, message, details, trailers, cause } = error as RpcError;
  const own = details.length === 0 && trailers.length === 0 ? OWN[status] : undefined;
  const kind = signal?.aborted ? "aborted" : (own ?? "answered");
  const wait = trailers.find(([key]) => key === "retry-after")?.[1];
  return new GatewayError(kind, statusOf(status), message, {
    details: detailsOf(details),
    requestId: trailers.find(([key]) => key === "x-request-id")?.[1],
    retryAfter: wait === undefined ? undefined : Number(wait) * 1000,
    cause,
  });
}
