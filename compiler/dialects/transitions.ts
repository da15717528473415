// The dialect of transition lists, rstmdb's: `{ states, initial, transitions: [{ from, event, to, guard? }], meta? }`. Reads it into its canonical
// form, whose checksum is rstmdb's, and makes a machine of it. Other than rstmdb it takes several transitions of the same state and event:
// they are asked in order, and the first whose guard agrees is taken.

import { LockstepError } from '../../core/errors.ts';
import type { EventObject, Json, JsonObject } from '../../core/json.ts';
import { plain } from '../../core/plain.ts';
import { describe, isFields, type Fields } from '../../core/fields.ts';
import { crc32c } from '../crc32c.ts';
import type { ActionDefinition, TransitionDefinition } from '../definition.ts';
import { bad, unsupported } from '../tree.ts';
import { builtinAction, eventFault, flatMachine, flatRoot, stateId, type FlatMachine, type FlatState } from './flat.ts';
import { GuardTexts } from './transitions-guards.ts';

export interface TransitionList {
  readonly states: readonly string[];
  readonly initial: string;
  readonly transitions: readonly {
    readonly from: readonly string[];
    readonly event: string;
    readonly to: string;
    readonly guard?: string;
  }[];
  readonly meta?: Json;
}

const UNNAMED = '(machine)';

/** Shallow, as rstmdb merges: nothing happens unless the payload is an object. */
const merge = builtinAction('xstate.assign', {
  assignment: ({ event }: { readonly event: EventObject }): JsonObject => {
    const payload = event['payload'];
    return isFields(payload) ? (payload as JsonObject) : {};
  },
});
const initialContext = ({ input }: { readonly input?: Json }): JsonObject => (isFields(input) ? (input as JsonObject) : {});

/**
 * The machine of a transition list.                                                              (TRANSITIONS-1)
 * @param source the list; an `id` in it names the machine unless `id` does.
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, naming machine, path and reason.
 */
export function fromTransitions(source: unknown, id: string = nameOf(source)): FlatMachine {
  const list = new Reader(id).list(source);
  const guards = new GuardTexts(id);
  const functions = list.transitions.map(({ guard }, index) =>
    guard === undefined ? undefined : guards.function(guard, `/transitions/${index}/guard`),
  );
  const config = {
    ...list,
    transitions: list.transitions.map((transition, index) => ({ ...transition, guard: functions[index] })),
    context: initialContext,
    merge,
  };
  const states = [...new Set(list.states)].map((name): FlatState => {
    const path = `/states/${list.states.indexOf(name)}`;
    return { name, path, on: leading(id, list, name) };
  });
  return flatMachine(
    { id, dialect: 'transitions', config },
    {
      id,
      dialect: 'transitions',
      root: flatRoot(id, { name: list.initial, path: '/initial' }, states),
      context: { function: { kind: 'context', path: '/context' } },
      source: list as unknown as Json,
    },
  );
}

/** Whether something looks like a transition list: nothing else has a list of states and one of transitions. */
export function isTransitionList(source: unknown): boolean {
  return isFields(source) && Array.isArray(source.states) && 'transitions' in source;
}

/**
 * The list in rstmdb's canonical form: known keys only, in rstmdb's order, and `from` always a list.
 * @throws LockstepError as fromTransitions() does, but for guards, which are not read.
 */
export function canonicalTransitions(source: unknown, id: string = nameOf(source)): TransitionList {
  return new Reader(id).list(source);
}

/** A canonical list as compact JSON: keys in rstmdb's order, those of `meta` in the order of their UTF-8 bytes, which no JavaScript object keeps. */
export function transitionsText({ meta, ...list }: TransitionList): string {
  const text = JSON.stringify(list);
  return meta === undefined ? text : `${text.slice(0, -1)},"meta":${sortedText(meta)}}`;
}

/** rstmdb's checksum of a list: CRC-32C of its canonical text, 8 hex digits. */
export function transitionsChecksum(list: TransitionList): string {
  return crc32c(new TextEncoder().encode(transitionsText(list)))
    .toString(16)
    .padStart(8, '0');
}

/** What leads out of a state, by event, in the order of the list. */
function leading(id: string, list: TransitionList, state: string): FlatState['on'] {
  const on = new Map<string, TransitionDefinition[]>();
  list.transitions.forEach(({ from, event, to, guard }, index) => {
    if (!from.includes(state)) return;
    const path = `/transitions/${index}`;
    const merging: ActionDefinition = { kind: 'assign', function: { kind: 'assign', path: '/merge' } };
    const before = on.get(event) ?? [];
    before.push({
      path,
      targets: [stateId(id, to)],
      reenter: false,
      ...(guard === undefined ? {} : { guard: { kind: 'function', function: { kind: 'guard', path: `${path}/guard` } } }),
      actions: [merging],
    });
    on.set(event, before);
  });
  return [...on].map(([descriptor, transitions]) => ({ descriptor, transitions }));
}

class Reader {
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
  }

  list(source: unknown): TransitionList {
    if (!isFields(source)) throw bad(this.#id, '', `expected a transition list, found ${describe(source)}`);
    const states = this.#items(source.states, '/states').map((state, index) => this.#text(state, `/states/${index}`));
    const known = new Set(states);
    const initial = this.#state(source.initial, '/initial', known);
    const transitions = this.#items(source.transitions, '/transitions').map((transition, index) =>
      this.#transition(transition, `/transitions/${index}`, known),
    );
    this.#checkOrder(transitions);
    return { states, initial, transitions, ...this.#meta(source.meta) };
  }

  #transition(source: unknown, path: string, known: ReadonlySet<string>): TransitionList['transitions'][number] {
    if (!isFields(source)) throw bad(this.#id, path, `expected a transition, found ${describe(source)}`);
    const { guard } = source;
    const from = Array.isArray(source.from)
      ? source.from.map((state: unknown, index) => this.#state(state, `${path}/from/${index}`, known))
      : [this.#state(source.from, `${path}/from`, known)];
    const event = this.#text(source.event, `${path}/event`);
    const fault = eventFault(event);
    if (fault !== undefined) throw unsupported(this.#id, `${path}/event`, fault);
    const to = this.#state(source.to, `${path}/to`, known);
    return { from, event, to, ...(guard === undefined || guard === null ? {} : { guard: this.#text(guard, `${path}/guard`) }) };
  }

  /** Nothing stands behind a transition that is always taken. */
  #checkOrder(transitions: TransitionList['transitions']): void {
    const always = new Map<string, number>();
    transitions.forEach(({ from, event, guard }, index) => {
      for (const state of new Set(from)) {
        const key = JSON.stringify([state, event]);
        const before = always.get(key);
        if (before !== undefined)
          throw bad(
            this.#id,
            `/transitions/${index}`,
            `/transitions/${before} takes ${event} in '${state}' without a guard, so this one never is`,
          );
        if (guard === undefined) always.set(key, index);
      }
    });
  }

  #meta(meta: unknown): { readonly meta?: Json } {
    if (meta === undefined || meta === null) return {};
    try {
      return { meta: plain(meta, '/meta') };
    } catch (error) {
      if (error instanceof LockstepError) throw new LockstepError(error.code, `machine '${this.#id}': ${error.message}`);
      throw error;
    }
  }

  #items(value: unknown, path: string): readonly unknown[] {
    if (!Array.isArray(value)) throw bad(this.#id, path, `expected a list, found ${describe(value)}`);
    return value;
  }

  #text(value: unknown, path: string): string {
    if (typeof value !== 'string') throw bad(this.#id, path, `expected a string, found ${describe(value)}`);
    return value;
  }

  #state(value: unknown, path: string, known: ReadonlySet<string>): string {
    const name = this.#text(value, path);
    if (!known.has(name)) throw bad(this.#id, path, `'${name}' is none of the states`);
    return name;
  }
}

function sortedText(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(sortedText).join(',')}]`;
  if (!isFields(value)) return JSON.stringify(value);
  const fields = Object.keys(value).sort(byCodePoints);
  return `{${fields.map((key) => `${JSON.stringify(key)}:${sortedText(value[key]!)}`).join(',')}}`;
}

function byCodePoints(one: string, other: string): number {
  const a = [...one];
  const b = [...other];
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = a[i]!.codePointAt(0)! - b[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function nameOf(source: unknown): string {
  return isFields(source) && typeof (source as Fields).id === 'string' && source.id !== '' ? (source.id as string) : UNNAMED;
}
