// Plain JSON values, the only thing that a context, an event or a parameter may be made of.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** What an expression can come to: `undefined` is what a missing key reads as. */
export type Value = Json | undefined;
export type JsonObject = { readonly [key: string]: Json };

/** A context, and the number of the core's record from which on effects see it. */
export interface ContextMark {
  readonly from: number;
  readonly context: Json;
}

/** Any event: its `type` and plain JSON fields. */
export interface EventObject {
  readonly type: string;
  readonly [field: string]: unknown;
}
