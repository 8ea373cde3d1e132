/** Calls of RPCs by their REST routes: the path, the query and the body as the gateway binds them. */

import { answered, membersOf, type GatewayError } from "./errors.js";
import {
  type Answer,
  type CallOptions,
  type ClientOptions,
  cutOff,
  eventsOf,
  Http,
  jsonOf,
  refusalOf,
} from "./http.js";

/** A body of any type, a `google.api.HttpBody`: its type is that of a `Blob`, or a `content-type`. */
export type Upload = Blob | BufferSource | string | ReadableStream<Uint8Array>;

/** A route, as its rule has it, names as they are in JSON. */
export interface Route {
  readonly verb: string;
  /** `/v1/{name=shelves/*}:move`. */
  readonly path: string;
  /** `*`, or the field that the body is. */
  readonly body?: string;
  /** Whether the body is an `Upload`. */
  readonly raw?: boolean;
  /** The message's name in `Shapes`, where its query needs it. */
  readonly shape?: string;
}

/**
 * What can't be told from a value for a query: the fields of messages that are maps or any JSON, or
 * messages that have such.
 */
export type Shapes = { readonly [message: string]: { readonly [field: string]: string } };

export class Rest {
  readonly #http: Http;
  readonly #shapes: Shapes;

  constructor(url: string, options: ClientOptions | undefined, shapes: Shapes) {
    this.#http = new Http(url, options);
    this.#shapes = shapes;
  }

  /** A call with one answer, which is JSON. */
  async unary<Reply>(route: Route, request: unknown, options?: CallOptions): Promise<Reply> {
    const answer = await this.#ask(route, request, "application/json", options);
    return (await jsonOf(answer)) as Reply;
  }

  /** A call whose answer is a body of any type. */
  async raw(route: Route, request: unknown, options?: CallOptions): Promise<Response> {
    const answer = await this.#ask(route, request, "*/*", options);
    if (answer.response.body !== null) return new Response(bodyOf(answer), answer.response);
    answer.close();
    return answer.response;
  }

  /**
   * A call with a stream of answers, by server-sent events: unlike lines of JSON they tell an error
   * from a message, and the end from a cut.
   */
  async *stream<Reply>(
    route: Route,
    request: unknown,
    options?: CallOptions,
  ): AsyncGenerator<Reply, void, undefined> {
    const answer = await this.#ask(route, request, "text/event-stream", options);
    for await (const { type, data } of eventsOf(answer)) {
      if (type === "end") return;
      if (type === "error") throw failureOf(data);
      yield JSON.parse(data) as Reply;
    }
    throw cutOff();
  }

  async #ask(
    route: Route,
    request: unknown,
    accept: string,
    options?: CallOptions,
  ): Promise<Answer> {
    const { verb, body } = route;
    const bound = new Set<string>();
    const path = pathOf(route.path, request, bound);
    const asked = { verb, path, accept };
    if (body !== undefined && body !== "*") bound.add(body);
    const query =
      body === "*" ? "" : String(new URLSearchParams([...this.#query(request, "", bound, route.shape)]));
    const url = query === "" ? path : `${path}?${query}`;
    const content = body === "*" || body === undefined ? request : membersOf(request)[body];
    let answer;
    if (body === undefined || content === undefined) {
      answer = await this.#http.ask({ ...asked, path: url }, options);
    } else if (route.raw) {
      answer = await this.#http.ask({ ...asked, path: url, body: content as BodyInit }, options);
    } else {
      const json = { type: "application/json", body: JSON.stringify(content) };
      answer = await this.#http.ask({ ...asked, path: url, ...json }, options);
    }
    if (!answer.response.ok) throw await refusalOf(answer);
    return answer;
  }

  *#query(
    value: unknown,
    around: string,
    bound: ReadonlySet<string>,
    shape?: string,
  ): Generator<[string, string]> {
    for (const [name, inner] of Object.entries(membersOf(value))) {
      const full = around + name;
      const kind = shape === undefined ? undefined : this.#shapes[shape]?.[name];
      if (inner === undefined || inner === null || bound.has(full)) continue;
      if (kind === "json") yield [full, JSON.stringify(inner)];
      else if (kind === "map") {
        for (const [key, each] of Object.entries(inner)) yield [`${full}[${key}]`, String(each)];
      } else if (Array.isArray(inner)) for (const each of inner) yield [full, String(each)];
      else if (typeof inner === "object") yield* this.#query(inner, `${full}.`, bound, kind);
      else yield [full, String(inner)];
    }
  }
}

/** The body of an answer, which ends it: read to its end, broken, or left. */
function bodyOf({ response, close, failed }: Answer): ReadableStream<Uint8Array> {
  const reader = response.body?.getReader();
  return new ReadableStream({
    async pull(control) {
      try {
        const read = await reader?.read();
        if (read !== undefined && !read.done) return control.enqueue(read.value);
        close();
        control.close();
      } catch (error) {
        control.error(failed(error));
      }
    },
    cancel: close,
  });
}

function failureOf(data: string): GatewayError {
  return answered(membersOf(JSON.parse(data))["error"]);
}

/** Fills a template; `bound` gets the names of the fields in it. */
function pathOf(template: string, request: unknown, bound: Set<string>): string {
  return template.replace(
    /\{([^=}]+)(?:=([^}]+))?\}|\/\*\*?(?=[/:]|$)/g,
    (all, name: string | undefined, pattern = "*") => {
      if (name === undefined) return all === "/*" ? "/-" : ""; // a part that is of no field
      bound.add(name);
      const value = name.split(".").reduce<unknown>((in_, each) => membersOf(in_)[each], request);
      const segments = pattern === "*" ? [String(value ?? "")] : String(value ?? "").split("/");
      if (!fits(segments, pattern.split("/")))
        throw new TypeError(`${name} can't be ${JSON.stringify(value)} in ${template}`);
      return segments.map(encodeURIComponent).join("/");
    },
  );
}

/** Whether a value's segments are those of a pattern, and can stand in a path. */
function fits(segments: string[], pattern: string[]): boolean {
  const many = pattern.indexOf("**");
  const more = segments.length - pattern.length;
  const form =
    many < 0
      ? pattern
      : [...pattern.slice(0, many), ...Array<string>(Math.max(more + 1, 0)).fill("**"), ...pattern.slice(many + 1)];
  return (
    segments.length === form.length &&
    segments.every((segment, at) => {
      if (segment === "." || segment === "..") return false; // URLs resolve them, escaped too
      return form[at] === "**" || (form[at] === "*" ? segment !== "" : segment === form[at]);
    })
  );
}
