// What the content of a session may ask of the session that runs it, and what an invocation starts with. Agreement only.

import type { JsonObject } from '../../core/json.ts';
import type { ChildStart } from '../../core/request.ts';

export interface SessionView {
  readonly id: string;
  readonly name: string | undefined;
  /** `_ioprocessors`. */
  readonly processors: JsonObject;
  readonly hasParent: boolean;
  /** Values that the invoking session gave for data of the document. */
  readonly given: JsonObject;
  /** Activations and deactivations of a state. */
  tick(state: string): number;
  /** What was invoked before this step. */
  children(): ReadonlyMap<string, ChildStart>;
  hasSession(id: string): boolean;
  /** Whether an event processor other than SCXML's takes events of this type. */
  hasProcessor(type: string): boolean;
  /** The text behind an address. Throws when there is none. */
  resource(uri: string): string;
}

/** What an invocation starts with, as the `input` of its child. */
export interface InvokeInput {
  readonly uri?: string;
  /** The document, when an expression gave it. */
  readonly content?: string;
  readonly data?: JsonObject;
}
