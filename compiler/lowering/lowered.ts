// What came of a machine's functions: expressions by the path of their symbol, and a report of each function that stands in the definition.

import type { Expression } from '../expression/tree.ts';
import type { ModulePlace } from './modules.ts';

/** By the path of a function's symbol. Of an assign or a context: what is written, as evaluateWrites() has it. */
export type LoweredFunctions = ReadonlyMap<string, { readonly expression: Expression }>;

/** What a function is for. */
export type Role =
  | 'guard'
  | 'assign'
  | 'raise'
  | 'delay'
  | 'output'
  | 'context'
  | 'params'
  | 'input'
  | 'action'
  | 'sendTo'
  | 'emit'
  | 'log'
  | 'cancel'
  | 'spawnChild'
  | 'stopChild'
  | 'enqueueActions';

export interface FunctionReport {
  /** JSON pointer to the symbol that it belongs to. */
  readonly path: string;
  readonly role: Role;
  /** The name that it is implemented under; absent when it stands in the config itself. */
  readonly name?: string;
  /** Of an assign: the field that it gives. */
  readonly field?: string;
  /** When its text was found. */
  readonly place?: ModulePlace;
  readonly outcome:
    | { readonly kind: 'lowered'; readonly expression: Expression }
    /** `at`: where in the function's text. */
    | { readonly kind: 'hosted'; readonly reason: string; readonly at?: number; readonly text: string };
}

export interface Lowering {
  readonly functions: LoweredFunctions;
  /** Functions as they are met; a named one once for each place that names it. */
  readonly reports: readonly FunctionReport[];
  /** Symbols that are not lowered, and why: a function of theirs, or what they are. */
  readonly obstacles: readonly { readonly path: string; readonly reason: string }[];
}
