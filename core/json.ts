// Plain JSON values, the only thing that a context, an event or a parameter may be made of.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Any event: its `type` and plain JSON fields. */
export interface EventObject {
  readonly type: string;
  readonly [field: string]: unknown;
}
