/** What messages are made of in ProtoJSON, beyond JSON's own types. */

/** Any JSON: a `google.protobuf.Value`. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A `google.protobuf.Struct`. */
export type JsonObject = { [name: string]: JsonValue };

/** A `google.protobuf.Any`: a message and the name of its type. */
export type AnyMessage = { "@type": string; [member: string]: unknown };

/** A `float` or `double`: JSON has no number for the last three. */
export type Float = number | "NaN" | "Infinity" | "-Infinity";

declare const unrecognized: unique symbol;

/**
 * A value of an enum that these types do not know, for the API is newer than they are: its name or
 * its number. It comes in answers and may be sent back; no text or number in your code is one, so a
 * misspelt name is still an error, and a `switch` needs a `default`.
 */
export type Unrecognized = (string | number) & { readonly [unrecognized]: true };

/**
 * What JavaScript finds in place of a field that is called as what every object has, where a message
 * leaves it out: for `constructor`, a function.
 */
export type FromObject<Name extends keyof Object> = Object[Name];

/** At most one of some fields: to give two of them is an error. */
export type OneOf<Fields> = {
  [Name in keyof Fields]: { [Key in Name]?: Fields[Key] } & {
    [Key in Exclude<keyof Fields, Name>]?: never;
  };
}[keyof Fields];
