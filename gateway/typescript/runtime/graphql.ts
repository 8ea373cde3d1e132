/** Trusted documents, asked by their names over HTTP; subscriptions as server-sent events. */

import { detailsOf, GatewayError, membersOf, statusOf, type ErrorParts } from "./errors.js";
import {
  type Answer,
  type CallOptions,
  type ClientOptions,
  cutOff,
  eventsOf,
  Http,
  jsonOf,
  partsOf,
} from "./http.js";

/** What holds for one document. */
export interface DocumentOptions extends CallOptions {
  /**
   * Given the errors of fields that failed, which are null in the answer; without it the first of
   * them is thrown, with the rest of the answer as its `data`.
   */
  onErrors?: (errors: readonly GatewayError[]) => void;
}

export class Graphql {
  readonly #http: Http;
  readonly #path: string;

  constructor(url: string, options: ClientOptions | undefined, path: string) {
    this.#http = new Http(url, options);
    this.#path = path;
  }

  /** Asks a query or a mutation. */
  async ask<Data>(id: string, variables: unknown, options: DocumentOptions = {}): Promise<Data> {
    const answer = await this.#send(id, variables, "application/graphql-response+json", options);
    return dataOf(await jsonOf(answer), partsOf(answer.response), options);
  }

  /** Follows a subscription. */
  async *follow<Data>(
    id: string,
    variables: unknown,
    options: DocumentOptions = {},
  ): AsyncGenerator<Data, void, undefined> {
    const answer = await this.#send(id, variables, "text/event-stream", options);
    const parts = partsOf(answer.response);
    const { headers, ok } = answer.response;
    if (!ok || headers.get("content-type")?.startsWith("text/event-stream") !== true)
      throw refusalOf(await jsonOf(answer), parts);
    for await (const { type, data } of eventsOf(answer)) {
      if (type === "complete") return;
      if (type === "next") yield dataOf<Data>(JSON.parse(data), parts, options);
    }
    throw cutOff();
  }

  #send(id: string, variables: unknown, accept: string, options: CallOptions): Promise<Answer> {
    const body = JSON.stringify({ documentId: id, variables });
    const asked = { verb: "POST", path: this.#path, type: "application/json", accept, body };
    return this.#http.ask(asked, options);
  }
}

function dataOf<Data>(result: unknown, parts: ErrorParts, options: DocumentOptions): Data {
  const { data, errors } = membersOf(result);
  if (data === undefined || data === null) throw refusalOf(result, parts);
  const found = Array.isArray(errors) ? errors : [];
  if (found.length > 0) {
    const failures = found.map((each) => failureOf(each, { ...parts, data }));
    if (options.onErrors === undefined) throw failures[0];
    options.onErrors(failures);
  }
  return data as Data;
}

/** The error of an answer without data: its first one, or REST's where HTTP itself was at fault. */
function refusalOf(result: unknown, parts: ErrorParts): GatewayError {
  const { errors } = membersOf(result);
  if (Array.isArray(errors) && errors.length > 0) return failureOf(errors[0], parts);
  return new GatewayError("unreadable", "UNKNOWN", "The answer is none of GraphQL.", parts);
}

/** `extensions.code` is the name of a gRPC code, or of a refusal of the request. */
function failureOf(error: unknown, parts: ErrorParts): GatewayError {
  const { message, path, extensions } = membersOf(error);
  const { code, reason, details } = membersOf(extensions);
  const known = statusOf(code);
  const refused = known === "UNKNOWN" && code !== "UNKNOWN";
  const status = refused ? "INVALID_ARGUMENT" : known;
  return new GatewayError("answered", status, String(message ?? ""), {
    ...parts,
    details: detailsOf(details),
    reason: (refused ? code : reason) as string | undefined,
    path: Array.isArray(path) ? path : undefined,
  });
}
