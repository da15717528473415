// What a data model offers to the interpreter: an argument, so that the compiler and the interpreter name no engine. An evaluator opens one
// data session for each SCXML session; only authorities have one. Values cross as plain JSON; what is not JSON stays inside the session.

import type { Json, JsonObject } from '../../core/json.ts';
import type { ScxmlDocument } from './document.ts';

export interface Evaluator {
  /** The values of `datamodel` that it takes. */
  readonly datamodels: readonly string[];
  /** Whether it can run all that the document asks; left out: whatever its data model says. */
  readonly takes?: (document: ScxmlDocument) => boolean;
  open(environment: DataEnvironment): DataSession;
}

export interface DataEnvironment {
  readonly sessionId: string;
  /** `_name`. */
  readonly name: string | undefined;
  /** `_ioprocessors`. */
  readonly processors: JsonObject;
  /** `In()`. */
  isIn(state: string): boolean;
}

/** `_event`, all of its fields (W3C SCXML 5.10.1). */
export interface EventFields {
  readonly name: string;
  readonly type: 'platform' | 'internal' | 'external';
  readonly sendid?: string;
  readonly origin?: string;
  readonly origintype?: string;
  readonly invokeid?: string;
  readonly data?: Json;
}

/** Every method may throw an EvaluationError: the author's fault, for the interpreter to report. */
export interface DataSession {
  /** Makes a variable, without a value yet. */
  declare(id: string): void;
  /** Sets `_event`; undefined while there was none. */
  setEvent(event: EventFields | undefined): void;
  condition(expression: string): boolean;
  /** Undefined when the value is, or is nothing that JSON can say. */
  evaluate(expression: string): Json | undefined;
  /** The value of an expression to a location that must exist, without leaving the session. */
  assign(location: string, expression: string): void;
  assignJson(location: string, value: Json | undefined): void;
  run(script: string): void;
  /** For each item of a copy of the array: sets `item` (and `index`), making them where they do not exist, and runs the body. */
  forEach(loop: { readonly array: string; readonly item: string; readonly index: string | undefined }, body: () => void): void;
  /** All variables that JSON can say. */
  read(): JsonObject;
  /** Makes the variables those of an earlier `read`, for a session that was restored or rolled back. */
  write(data: JsonObject): void;
  dispose(): void;
}

export class EvaluationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EvaluationError';
  }
}

/** An XML value as JSON: `{ $xml: text }`. Evaluators show it to authors as a DOM element. */
const XML_KEY = '$xml';

export const xmlValue = (text: string): Json => ({ [XML_KEY]: text });

/** The text of an XML value. */
export function xmlText(value: Json | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const text = (value as JsonObject)[XML_KEY];
  return typeof text === 'string' ? text : undefined;
}
