/**
 * One request over `fetch`: who calls, how long it may take, and what is thrown where it fails.
 * What is asked, and what an answer means, is for the clients of REST and GraphQL.
 */

import { answered, GatewayError, membersOf, type ErrorParts } from "./errors.js";

/** Who calls: a token, or a function that gives one, or nothing for nobody. */
export type Token =
  | string
  | (() => string | null | undefined | Promise<string | null | undefined>);

/** What holds for all calls of a client. */
export interface ClientOptions {
  /**
   * Sent as `authorization: Bearer …`. A function is asked before each call, and once more where the
   * gateway answers 401: if it then gives another token, the call is made again with that one.
   */
  token?: Token;
  /** Sent with each call. */
  headers?: HeadersInit;
  /** Milliseconds that a call may take, where it does not say itself. Default: no limit of its own. */
  timeout?: number;
  /** Whether cookies go along to other origins; see `fetch`. */
  credentials?: RequestCredentials;
  /** Used in place of the global `fetch`. */
  fetch?: typeof fetch;
}

/** What holds for one call. */
export interface CallOptions {
  /** Ends the call when it is aborted; the error's `kind` is `aborted` then. */
  signal?: AbortSignal;
  /** Milliseconds that the call may take, a stream as a whole. The gateway and the backend are told. */
  timeout?: number;
  headers?: HeadersInit;
  /** Given the headers of the answer. */
  onHeaders?: (headers: Headers) => void;
}

/** What is asked. */
export interface Asked {
  readonly verb: string;
  readonly path: string;
  readonly accept: string;
  readonly body?: BodyInit | undefined;
  readonly type?: string;
}

/** The gateway keeps the time; this side ends a call that it does not answer so much later. */
const GRACE = 2_000;

/** An answer that has begun. `close` ends what is left of it; `failed` says what an error was. */
export interface Answer {
  readonly response: Response;
  close(): void;
  failed(error: unknown): GatewayError;
}

export class Http {
  readonly #url: string;
  readonly #options: ClientOptions;

  /** `url` is where the gateway is, `https://api.example.com`; in a page "" is its own origin. */
  constructor(url: string, options: ClientOptions = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#options = options;
  }

  /** Asks. Resolves when the headers of an answer have come, whatever its status. */
  async ask(asked: Asked, options: CallOptions = {}): Promise<Answer> {
    const first = await this.#token();
    const answer = await this.#once(asked, options, first);
    // A stream that was sent is gone.
    if (answer.response.status !== 401 || asked.body instanceof ReadableStream) return answer;
    const second = typeof this.#options.token === "function" ? await this.#token() : first;
    if (second === first) return answer;
    answer.close();
    return this.#once(asked, options, second);
  }

  async #token(): Promise<string | null | undefined> {
    const { token } = this.#options;
    return typeof token === "function" ? await token() : token;
  }

  async #once(asked: Asked, options: CallOptions, token?: string | null): Promise<Answer> {
    const { credentials, fetch: send = fetch } = this.#options;
    const timeout = options.timeout ?? this.#options.timeout;
    const headers = new Headers(this.#options.headers);
    headers.set("accept", asked.accept);
    if (asked.type !== undefined) headers.set("content-type", asked.type);
    if (token) headers.set("authorization", `Bearer ${token}`);
    if (timeout !== undefined) headers.set("x-request-timeout", String(timeout / 1000));
    new Headers(options.headers).forEach((value, name) => headers.set(name, value));
    const init: RequestInit & { duplex?: "half" } = { method: asked.verb, headers };
    if (asked.body !== undefined) init.body = asked.body;
    if (asked.body instanceof ReadableStream) init.duplex = "half";
    if (credentials !== undefined) init.credentials = credentials;

    const control = new AbortController();
    const abort = () => control.abort();
    let late = false;
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            late = true;
            abort();
          }, timeout + GRACE);
    options.signal?.addEventListener("abort", abort);
    if (options.signal?.aborted) abort();

    const release = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
    };
    const failed = (error: unknown): GatewayError => {
      release();
      if (error instanceof GatewayError) return error;
      const cause = { cause: options.signal?.aborted ? options.signal.reason : error };
      if (options.signal?.aborted)
        return new GatewayError("aborted", "CANCELLED", "The call was aborted.", cause);
      if (late)
        return new GatewayError("timeout", "DEADLINE_EXCEEDED", "The call took too long.", cause);
      return new GatewayError("transport", "UNAVAILABLE", "No whole answer came.", cause);
    };

    const close = () => {
      release();
      abort();
    };
    let response;
    try {
      response = await send(this.#url + asked.path, { ...init, signal: control.signal });
    } catch (error) {
      throw failed(error);
    }
    try {
      options.onHeaders?.(response.headers);
    } catch (error) {
      close(); // what it throws is its own
      throw error;
    }
    return { response, close, failed };
  }
}

/** The JSON of an answer; of none, `{}`. Ends it. */
export async function jsonOf({ response, close, failed }: Answer): Promise<unknown> {
  try {
    const text = await response.text();
    return text === "" ? {} : JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw failed(error);
    throw new GatewayError("unreadable", "UNKNOWN", `The answer is no JSON (${response.status}).`, {
      ...partsOf(response),
      cause: error,
    });
  } finally {
    close();
  }
}

/** What the headers of an answer say of an error. */
export function partsOf({ headers, status }: Response): ErrorParts {
  const seconds = Number.parseFloat(headers.get("retry-after") ?? "");
  return {
    httpStatus: status,
    requestId: headers.get("x-request-id") ?? undefined,
    retryAfter: Number.isNaN(seconds) ? undefined : seconds * 1000,
  };
}

/** The error of REST that an answer is. */
export async function refusalOf(answer: Answer): Promise<GatewayError> {
  const { error } = membersOf(await jsonOf(answer));
  const parts = partsOf(answer.response);
  if (typeof membersOf(error)["status"] === "string") return answered(error, parts);
  const message = `The answer is no gateway's (${answer.response.status}).`;
  return new GatewayError("unreadable", "UNKNOWN", message, parts);
}

/** An event of a stream of server-sent events. */
export interface ServerEvent {
  readonly type: string;
  readonly data: string;
}

/** The lines of an answer, which end in LF or CRLF. What is left without an end is none. */
async function* linesOf(response: Response): AsyncGenerator<string, void> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let begun: string[] = []; // of a line that has not ended, joined once it has
  for (;;) {
    const read = await reader?.read();
    if (read === undefined || read.done) return;
    const [first = "", ...further] = decoder.decode(read.value, { stream: true }).split("\n");
    begun.push(first);
    for (const next of further) {
      yield begun.join("").replace(/\r$/, "");
      begun = [next];
    }
  }
}

/**
 * The events of an answer (HTML, "Server-sent events", 9.2.6), less what a reconnection needs.
 * To leave the loop ends the call.
 */
export async function* eventsOf(answer: Answer): AsyncGenerator<ServerEvent, void> {
  let event = { type: "message", data: [] as string[] };
  try {
    for await (const line of linesOf(answer.response)) {
      // Not by a pattern: its `.` stops at U+2028 and U+2029, which may stand in JSON as they are.
      const colon = line.indexOf(":");
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
      if (name === "event") event.type = value;
      else if (name === "data") event.data.push(value);
      else if (line === "") {
        if (event.data.length > 0) yield { type: event.type, data: event.data.join("\n") };
        event = { type: "message", data: [] };
      }
    }
  } catch (error) {
    throw answer.failed(error);
  } finally {
    answer.close();
  }
}

/** The error of a stream that ended without a word. */
export function cutOff(): GatewayError {
  return new GatewayError("transport", "UNAVAILABLE", "The stream was cut off.");
}
