// One plain XState program as a trace knows it: its actors, and what each was told to have done. The inspect protocol gives an event and,
// a little later, the snapshot that it led to; the two become one entry beside our own steps. What only our steps have (why, effects,
// timers) stays empty. Messages count in the program's own order, whatever order they arrive in.

import type { Json } from '../../core/json.ts';
import type { StateValue } from '../../core/machine.ts';
import { diff } from '../../core/diff.ts';
import type { Status, Step } from '../../core/step.ts';
import type { InspectSnapshot } from '../../peer/inspect/protocol.ts';
import { DefinitionChart } from './definition-chart.ts';
import { type Entry, entryId, type Known, type Told, type ToldActor, type ToldRecord } from './entry.ts';
import type { Moment } from './history.ts';

/** What taking a record in changed. */
export interface Change {
  readonly added: readonly Entry[];
  readonly removed: readonly Entry[];
  /** Characters that an entry grew by when its snapshot came. */
  readonly grown: number;
}

const NONE: readonly Entry[] = [];

export class Program {
  readonly peer: string;
  readonly actors = new Map<string, ToldActor>();
  #records: ToldRecord[] = [];
  #entries: Entry[] = [];
  readonly #known = new Set<number>();
  /** Messages up to this one were here and are forgotten. */
  #floor = 0;

  constructor(peer: string) {
    this.peer = peer;
  }

  /** That of its first actor, so marked that nobody takes it for one of our peers. */
  get name(): string {
    for (const { parentId, name } of this.actors.values()) if (parentId === undefined) return `${name} (XState)`;
    return this.peer;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** All that was told and is not forgotten, in order. */
  get records(): readonly ToldRecord[] {
    return this.#records;
  }

  /** Newest message taken in; 0 before the first. */
  get last(): number {
    return this.#records.at(-1)?.n ?? 0;
  }

  /** @returns undefined when the record was known already. */
  take(record: ToldRecord): Change | undefined {
    if (record.n <= this.#floor || this.#known.has(record.n)) return undefined;
    this.#known.add(record.n);
    const isNext = record.n > this.last;
    const at = isNext ? this.#records.length : this.#records.findIndex(({ n }) => n > record.n);
    this.#records.splice(at, 0, record);
    const { message } = record;
    const isLate = message.type === '@xstate.actor' && (this.actors.get(message.sessionId)?.entries.length ?? 0) > 0;
    return isNext && !isLate ? this.#apply(record) : this.#rebuild();
  }

  /** Forgets its first entries; what came of them stays as what the next ones continue. */
  dropFirst(count: number): void {
    const dropped = new Set(this.#entries.splice(0, count));
    const gone = new Set<ToldRecord>();
    for (const entry of dropped) {
      const told = entry.told!;
      told.actor.base = told.after ?? told.actor.base;
      told.actor.entries.splice(told.actor.entries.indexOf(entry), 1);
      told.previous = told.source = undefined;
      for (const record of told.records) gone.add(record);
    }
    for (const { told } of this.#entries) {
      if (told!.source !== undefined && dropped.has(told!.source)) told!.source = undefined;
      if (told!.previous !== undefined && dropped.has(told!.previous)) told!.previous = undefined;
    }
    for (const actor of this.actors.values()) actor.pending = actor.pending.filter((entry) => !dropped.has(entry));
    this.#records = this.#records.filter((record) => !gone.has(record));
    for (const { n } of gone) {
      this.#floor = Math.max(this.#floor, n);
      this.#known.delete(n);
    }
  }

  // ── Messages to entries ────────────────────────────────────────────────────────────────────────────────────────

  /** A message came late: everything is worked out again, in order. */
  #rebuild(): Change {
    const removed = this.#entries;
    this.#entries = [];
    for (const actor of this.actors.values()) {
      actor.entries.length = 0;
      actor.pending = [];
    }
    for (const record of this.#records) this.#apply(record);
    return { added: this.#entries, removed, grown: 0 };
  }

  #apply(record: ToldRecord): Change {
    const { message } = record;
    const actor = this.#actor(message.sessionId);
    switch (message.type) {
      case '@xstate.actor':
        actor.name = message.name;
        actor.parentId = message.parentId;
        actor.chart = new DefinitionChart(message.definition, message.name);
        return { added: NONE, removed: NONE, grown: 0 };
      case '@xstate.event':
        return { added: [this.#add(actor, record, message.sourceId)], removed: NONE, grown: 0 };
      case '@xstate.snapshot': {
        const waiting = actor.pending.findIndex(({ record: { step } }) => step.cause.event.type === message.event.type);
        const entry = waiting < 0 ? undefined : actor.pending[waiting];
        actor.pending = actor.pending.slice(waiting + 1);
        if (entry === undefined) {
          const added = this.#add(actor, record, undefined);
          actor.pending.pop();
          complete(added, message.snapshot);
          return { added: [added], removed: NONE, grown: 0 };
        }
        const grown = sizeOf(record);
        entry.told!.records.push(record);
        entry.size += grown;
        complete(entry, message.snapshot);
        return { added: NONE, removed: NONE, grown };
      }
    }
  }

  #actor(sessionId: string): ToldActor {
    let actor = this.actors.get(sessionId);
    if (actor !== undefined) return actor;
    actor = {
      sessionId,
      instance: `${this.peer}/${sessionId}`,
      name: sessionId,
      parentId: undefined,
      chart: new DefinitionChart(undefined, sessionId),
      entries: [],
      pending: [],
      base: undefined,
    };
    this.actors.set(sessionId, actor);
    return actor;
  }

  #add(actor: ToldActor, record: ToldRecord, sourceId: string | undefined): Entry {
    const { n, at, message } = record;
    const event = message.type === '@xstate.actor' ? { type: '' } : message.event;
    const step: Step = {
      instance: actor.instance,
      epoch: 1,
      seq: n,
      at,
      cause: { peer: this.peer, n, event, seed: 0 },
      clocks: [],
      history: [],
      patch: [],
      host: [],
      timers: [],
      effects: [],
    };
    const told: Told = {
      actor,
      after: undefined,
      previous: this.#entries.at(-1),
      source: sourceId === undefined ? undefined : this.actors.get(sourceId)?.entries.at(-1),
      sourceId,
      records: [record],
    };
    const entry: Entry = {
      id: entryId(actor.instance, 1, n),
      record: { kind: 'step', peer: this.peer, machine: actor.name, image: '', step },
      size: sizeOf(record),
      moment: at,
      index: -1,
      source: undefined,
      told,
    };
    this.#entries.push(entry);
    actor.entries.push(entry);
    actor.pending.push(entry);
    return entry;
  }
}

function sizeOf(record: ToldRecord): number {
  return JSON.stringify(record).length;
}

/** The snapshot of an entry is there: what it changed is the difference to the one before. */
function complete(entry: Entry, snapshot: InspectSnapshot): void {
  const told = entry.told!;
  const { chart } = told.actor;
  const before = knownBefore(entry);
  const isFirst = before === undefined && entry.record.step.cause.event.type !== 'xstate.init';
  const clocks = before === undefined ? chart.states.map(() => 0) : [...before.clocks];
  const active = snapshot.value === undefined && snapshot.status !== 'active' ? new Set<number>() : chart.active(snapshot.value);
  const ticks: number[] = [];
  chart.states.forEach((_, state) => {
    if (((clocks[state] ?? 0) % 2 === 1) === active.has(state)) return;
    clocks[state] = (clocks[state] ?? 0) + 1;
    // Of an actor that was there before we looked nobody knows what moved.
    if (!isFirst) ticks.push(state, 1);
  });
  told.after = { snapshot, clocks };
  const { status, output, error } = snapshot;
  const { step } = entry.record;
  entry.record = {
    ...entry.record,
    machine: told.actor.name,
    step: {
      ...step,
      clocks: ticks,
      patch: isFirst ? [] : diff(before?.snapshot.context ?? null, snapshot.context ?? null),
      ...(status === before?.snapshot.status || (before === undefined && status === 'active') ? {} : { status: statusOf(status) }),
      ...(output === undefined || output === null ? {} : { output }),
      ...(error === undefined || error === null ? {} : { error: typeof error === 'string' ? error : JSON.stringify(error) }),
    },
  };
}

function statusOf(status: string): Status {
  return status === 'done' || status === 'error' || status === 'stopped' ? status : 'active';
}

/** What the actor last was before an entry of its own. */
function knownBefore(entry: Entry): Known | undefined {
  const { actor } = entry.told!;
  for (let i = actor.entries.lastIndexOf(entry) - 1; i >= 0; i--) {
    const { after } = actor.entries[i]!.told!;
    if (after !== undefined) return after;
  }
  return actor.base;
}

/** The actor before and after an entry. */
export function momentsOf(entry: Entry): { readonly before: Moment | undefined; readonly after: Moment } {
  const told = entry.told!;
  const before = knownBefore(entry);
  const { seq } = entry.record.step;
  const after = told.after ?? before ?? { snapshot: { status: 'active' }, clocks: told.actor.chart.states.map(() => 0) };
  return { before: before === undefined ? undefined : moment(before, seq), after: moment(after, seq) };
}

function moment({ snapshot, clocks }: Known, seq: number): Moment {
  const { status, value, context } = snapshot;
  return {
    seq,
    state: { status: statusOf(status), clocks, history: [], context: context ?? null, timers: [] },
    value: (value ?? {}) as Json as StateValue,
  };
}
