/**
 * The one class of errors that all clients throw, and how it is made of what came.
 *
 * What an error means is its `status` (the gRPC code's name) and, of the gateway's own errors, its
 * `reason`, which is never renamed. `kind` says who ended the call.
 */

import type { Unrecognized } from "./json.js";
import type { KnownReason } from "./reasons.js";

// In the order of their numbers (google/rpc/code.proto).
const STATUSES = [
  ...(["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED"] as const),
  ...(["NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"] as const),
  ...(["FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL"] as const),
  ...(["UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"] as const),
];

/** The name of a gRPC status code. */
export type Status = (typeof STATUSES)[number];

/** Why, of the gateway's own errors; a backend's `ErrorInfo` has reasons of its own. */
export type Reason = KnownReason | Unrecognized;

/**
 * Who ended the call: `answered` is the gateway or the backend behind it, by an error; `transport`
 * is the network, for no whole answer came; `timeout` is this side's clock, `aborted` your signal,
 * and `unreadable` an answer that is none of a gateway's, such as a proxy's page.
 */
export type Kind = "answered" | "transport" | "timeout" | "aborted" | "unreadable";

/** The members of the `google.rpc` details, by the names of their types. */
export interface Details {
  "google.rpc.ErrorInfo": { reason?: string; domain?: string; metadata?: { [key: string]: string } };
  "google.rpc.BadRequest": {
    fieldViolations?: { field?: string; description?: string; reason?: string }[];
  };
  "google.rpc.PreconditionFailure": {
    violations?: { type?: string; subject?: string; description?: string }[];
  };
  "google.rpc.QuotaFailure": { violations?: { subject?: string; description?: string }[] };
  "google.rpc.RetryInfo": { retryDelay?: string };
  "google.rpc.ResourceInfo": {
    resourceType?: string;
    resourceName?: string;
    owner?: string;
    description?: string;
  };
  "google.rpc.RequestInfo": { requestId?: string; servingData?: string };
  "google.rpc.Help": { links?: { description?: string; url?: string }[] };
  "google.rpc.LocalizedMessage": { locale?: string; message?: string };
  "google.rpc.DebugInfo": { stackEntries?: string[]; detail?: string };
}

/** A detail: one of `google.rpc`, told apart by `@type`, or whatever a service put there. */
export type Detail =
  | {
      [Name in keyof Details]: Details[Name] & {
        readonly "@type": `type.googleapis.com/${Name}`;
      };
    }[keyof Details]
  | { readonly "@type": Unrecognized; readonly [member: string]: unknown };

/** What an error is made of. */
export interface ErrorParts {
  readonly details?: readonly Detail[];
  readonly reason?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly httpStatus?: number | undefined;
  readonly data?: unknown;
  readonly path?: readonly (string | number)[] | undefined;
  readonly cause?: unknown;
}

/** A call that failed. */
export class GatewayError extends Error {
  readonly kind: Kind;
  /** The name of the gRPC code. */
  readonly status: Status;
  readonly details: readonly Detail[];
  readonly reason: Reason | undefined;
  /** What to tell whoever runs the gateway. */
  readonly requestId: string | undefined;
  /** Milliseconds after which another try makes sense. */
  readonly retryAfter: number | undefined;
  /** Of REST and GraphQL. */
  readonly httpStatus: number | undefined;
  /** Of GraphQL: what was answered all the same. */
  readonly data: unknown;
  /** Of GraphQL: the field that failed. */
  readonly path: readonly (string | number)[] | undefined;

  constructor(kind: Kind, status: Status, message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "GatewayError";
    this.kind = kind;
    this.status = status;
    this.details = parts.details ?? [];
    this.reason = (parts.reason ?? this.detail("google.rpc.ErrorInfo")?.reason) as Reason | undefined;
    this.requestId = this.detail("google.rpc.RequestInfo")?.requestId ?? parts.requestId;
    const delay = this.detail("google.rpc.RetryInfo")?.retryDelay;
    this.retryAfter = delay === undefined ? parts.retryAfter : Number.parseFloat(delay) * 1000;
    this.httpStatus = parts.httpStatus;
    this.data = parts.data;
    this.path = parts.path;
  }

  /** The number of the gRPC code: 5 is NOT_FOUND. */
  get code(): number {
    return STATUSES.indexOf(this.status);
  }

  /** The first detail of a type, such as `google.rpc.BadRequest`. */
  detail<Name extends keyof Details>(name: Name): Details[Name] | undefined {
    const found = this.details.find((each) => each["@type"] === `type.googleapis.com/${name}`);
    return found as Details[Name] | undefined;
  }
}

/** An error as REST and WebSocket write it (`google.rpc.Status`; `code` is not looked at). */
export function answered(error: unknown, parts: ErrorParts = {}): GatewayError {
  const { status, message, details } = membersOf(error);
  return new GatewayError("answered", statusOf(status), String(message ?? ""), {
    ...parts,
    details: detailsOf(details),
  });
}

/** What a text names, if it is a status. */
export function statusOf(name: unknown): Status {
  return STATUSES.find((each) => each === name) ?? "UNKNOWN";
}

/** The members that a value has of its own, none where it is no object. */
export function membersOf(value: unknown): { readonly [name: string]: unknown } {
  return Object.assign(Object.create(null), typeof value === "object" ? value : {});
}

/** Details in the spelling of `Details`: with `rest.json.proto_names` they come in the proto's. */
export function detailsOf(details: unknown): Detail[] {
  return Array.isArray(details) ? details.map((each) => camelCased(each) as Detail) : [];
}

function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      name === "metadata" ? inner : camelCased(inner),
    ]),
  );
}
