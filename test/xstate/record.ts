// One scenario, played by XState in document order and by lockstep(): all that can be seen of it is written down as lines, in order, in
// words that do not depend on the process (session numbers, random ids, functions), so that two records can be compared as texts.

import * as published from 'xstate';
import type { Actor, AnyActorLogic, AnyStateMachine } from 'xstate';
import { lockstep } from '../../compiler/xstate/index.ts';
import { correctedXState, type XState } from '../differential/oracle.ts';

/** Who plays: XState's module, and what is made of a machine before it becomes an actor. */
export interface Side {
  readonly xstate: XState;
  readonly record: Record;
  /** The machine itself, or lockstep() of it. */
  wrap<T extends AnyStateMachine>(machine: T): T;
  /** An actor that is inspected, has a clock that stands still, and tells its snapshots and errors to the record. */
  actor(logic: AnyActorLogic, options?: { readonly [name: string]: unknown }): Playing;
  readonly clock: StillClock;
}

export type Playing = Actor<AnyActorLogic>;

export type Scenario = (side: Side) => void | Promise<void>;

/** Plays a scenario on both sides. @returns what was recorded. */
export async function playBoth(scenario: Scenario): Promise<{ readonly theirs: string[]; readonly ours: string[] }> {
  const theirs = side(await corrected(), (machine) => machine);
  await scenario(theirs);
  const ours = side(published, lockstep);
  await scenario(ours);
  return { theirs: theirs.record.lines, ours: ours.record.lines };
}

let module: Promise<XState> | undefined;
export const corrected = (): Promise<XState> => (module ??= correctedXState());

export function side(xstate: XState, wrap: Side['wrap']): Side {
  const record = new Record();
  const clock = new StillClock();
  const actor: Side['actor'] = (logic, options = {}) => {
    const made = xstate.createActor(logic, {
      clock,
      logger: (...args: unknown[]) => record.write('log', args),
      inspect: record.inspect,
      ...options,
    } as never) as Playing;
    made.subscribe({
      next: (snapshot: unknown) => record.write('next', snapshot),
      error: (error) => record.write('error', error),
      complete: () => record.write('complete'),
    });
    return made;
  };
  return { xstate, record, wrap, actor, clock };
}

/** Timers that fire when they are told to. */
class StillClock {
  readonly #timers = new Map<number, { readonly fire: () => void; readonly delay: number }>();
  #next = 0;

  readonly setTimeout = (fire: () => void, delay: number): number => {
    this.#timers.set((this.#next += 1), { fire, delay });
    return this.#next;
  };

  readonly clearTimeout = (timer: number): void => void this.#timers.delete(timer);

  /** Delays of the armed timers, the oldest first. */
  get armed(): readonly number[] {
    return [...this.#timers.values()].map(({ delay }) => delay);
  }

  clear(): void {
    this.#timers.clear();
  }

  /** Fires the timer at this place in `armed`. */
  fire(index = 0): void {
    const [timer, armed] = [...this.#timers][index] ?? [];
    if (timer === undefined || armed === undefined) return;
    this.#timers.delete(timer);
    armed.fire();
  }
}

interface Inspected {
  readonly type: string;
  readonly actorRef?: unknown;
  readonly event?: unknown;
  readonly snapshot?: unknown;
  readonly action?: unknown;
  readonly sourceRef?: unknown;
  readonly _transitions?: readonly {
    readonly source: { readonly id: string };
    readonly eventType: string;
    readonly target?: readonly Node[];
  }[];
}
interface Node {
  readonly id: string;
  readonly order: number;
}

export class Record {
  readonly lines: string[] = [];
  readonly #sessions = new Map<string, string>();
  readonly #observers: ((event: Inspected) => void)[] = [];

  readonly inspect = (event: Inspected): void => {
    for (const observer of this.#observers) observer(event);
    const { type, actorRef, snapshot, action, sourceRef, _transitions } = event;
    const transitions = _transitions?.map(({ source, eventType, target }) => [source.id, eventType, target?.map(({ id }) => id)]);
    this.write(type.slice('@xstate.'.length), actorRef, sourceRef, event.event, action, snapshot, transitions);
  };

  /** Also hears inspection events as they are. */
  observe(observer: (event: Inspected) => void): void {
    this.#observers.push(observer);
  }

  write(what: string, ...found: unknown[]): void {
    this.lines.push([what, ...found.filter((one) => one !== undefined).map((one) => this.#words(one))].join(' '));
  }

  take(): string[] {
    return this.lines.splice(0);
  }

  #words(value: unknown): string {
    return JSON.stringify(this.#plain(value, []))
      .replaceAll(/x:\d+/g, (session) => this.#session(session))
      .replaceAll(/\b0\.\d{6,}\b/g, '(random)');
  }

  #session(session: string): string {
    const known = this.#sessions.get(session) ?? `session ${this.#sessions.size + 1}`;
    this.#sessions.set(session, known);
    return known;
  }

  #plain(value: unknown, path: readonly unknown[]): unknown {
    if (typeof value === 'function') return `<${value.name}>`;
    if (typeof value === 'bigint' || typeof value === 'symbol') return `<${String(value)}>`;
    if (value === undefined) return '<undefined>';
    if (typeof value !== 'object' || value === null) return value;
    if (path.includes(value) || path.length > 8) return '<again>';
    const inner = (one: unknown): unknown => this.#plain(one, [...path, value]);
    if (value instanceof Error) return `<${value.name}: ${value.message}>`;
    if (value instanceof Date) return `<${value.toISOString()}>`;
    if (value instanceof Map || value instanceof Set) return [...value].map(inner);
    if (Array.isArray(value)) return value.map(inner);
    if ('sessionId' in value && 'send' in value) return `<actor ${String((value as { readonly id?: unknown }).id)}>`;
    if ('__xstatenode' in value) return `<machine ${String((value as { readonly id?: unknown }).id)}>`;
    if ('machine' in value && 'order' in value) return `<node ${String((value as { readonly id?: unknown }).id)}>`;
    const fields = value as { readonly [key: string]: unknown };
    const ordered = '_nodes' in fields ? inDocumentOrder(fields as unknown as OrderedSnapshot) : fields;
    // Neither the order of keys nor methods are part of what is compared.
    return Object.fromEntries(
      Object.entries(ordered)
        .filter(([, one]) => typeof one !== 'function' || !('_nodes' in fields))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, one]) => [key, inner(one)]),
    );
  }
}

interface OrderedSnapshot {
  readonly _nodes: readonly Node[];
  readonly tags: ReadonlySet<string>;
}

/** XState has both in the order in which states were entered. */
function inDocumentOrder(snapshot: OrderedSnapshot): OrderedSnapshot & { readonly [key: string]: unknown } {
  return { ...snapshot, _nodes: [...snapshot._nodes].sort((a, b) => a.order - b.order), tags: new Set([...snapshot.tags].sort()) };
}
