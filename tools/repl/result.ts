// What commands answer and what comes in by itself, as plain data: format.ts makes lines for people of it, --json prints it as it is.

import type { Json } from '../../core/json.ts';
import type { Operation } from '../../core/patch.ts';
import type { MachineDescription, InstanceSummary, PeerInfo } from '../../peer/wire.ts';

export interface InstanceDetail extends InstanceSummary {
  readonly context: Json;
  /** Of a relational machine, by number. */
  readonly active?: readonly string[];
  readonly output?: Json;
  readonly error?: string;
  /** Of a statechart only states that have been entered; odd ticks = active. */
  readonly clocks: readonly { readonly state: string; readonly ticks: number }[];
  /** `due` in ms since the epoch, by the authority's clock. */
  readonly timers: readonly { readonly event: string; readonly due: number }[];
  /** Its child actors, those too that have ended in a state that is not left yet. */
  readonly actors: readonly { readonly id: string; readonly src: string; readonly ended: boolean }[];
  readonly digest: string;
}

export type Result =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'peers'; readonly peers: readonly (PeerInfo & { readonly attached: boolean; readonly self: boolean })[] }
  | { readonly kind: 'using'; readonly peer: string; readonly name: string }
  | {
      readonly kind: 'listing';
      readonly peer: string;
      readonly machines: readonly MachineDescription[];
      readonly instances: readonly InstanceSummary[];
    }
  | { readonly kind: 'instance'; readonly detail: InstanceDetail }
  | {
      readonly kind: 'sent';
      readonly instance: string;
      readonly event: string;
      readonly outcome: 'stepped' | 'ignored';
      readonly seq: number;
    }
  | {
      readonly kind: 'mutated';
      readonly instance: string;
      readonly mutation: string;
      readonly outcome: 'executed' | 'cancelled';
      readonly seq: number;
      /** What is active then. */
      readonly active: readonly string[];
    }
  | { readonly kind: 'watching'; readonly instance: string; readonly seq: number; readonly value: Json; readonly context: Json }
  | { readonly kind: 'unwatched'; readonly instance: string }
  | { readonly kind: 'reached'; readonly instance: string; readonly seq: number; readonly value: Json }
  | { readonly kind: 'time'; readonly instance: string; readonly state: string; readonly ticks: number; readonly active: boolean }
  | { readonly kind: 'created'; readonly instance: string; readonly seq: number }
  | { readonly kind: 'deleted'; readonly instance: string }
  | { readonly kind: 'defined'; readonly machine: string; readonly image: string }
  | { readonly kind: 'tracing'; readonly peer: string; readonly on: boolean }
  | { readonly kind: 'evaluated'; readonly text: string }
  | { readonly kind: 'bye' };

/** Something that nobody asked for just now. */
export type Notice =
  | {
      readonly kind: 'change';
      readonly instance: string;
      readonly seq: number;
      readonly before: Json;
      readonly value: Json;
      readonly status: string;
      readonly patch: readonly Operation[];
    }
  | { readonly kind: 'ended'; readonly instance: string; readonly reason: string }
  | {
      readonly kind: 'step';
      readonly peer: string;
      readonly instance: string;
      readonly seq: number;
      /** ms since the epoch, by the authority's clock. */
      readonly at: number;
      readonly event: string;
      /** Of a mutation of a relational machine: those called. */
      readonly states?: readonly string[];
      readonly from: string;
      readonly n: number;
      readonly ignored: boolean;
      readonly entered: readonly string[];
      readonly left: readonly string[];
      readonly patch: readonly Operation[];
      readonly effects: readonly string[];
    }
  | { readonly kind: 'impurity'; readonly peer: string; readonly machine: string; readonly path: string; readonly uses: string }
  | {
      readonly kind: 'divergence';
      readonly peer: string;
      readonly instance: string;
      readonly seq: number;
      readonly ours: string;
      readonly theirs: string;
    };
