// One chart run twice, by corrected XState and by our core, and compared after every event: configuration and value, effects in order with
// the context, event and params they saw, context, status and output, armed timers, tags, and what `can` says beforehand.

import { KIND_PARALLEL } from '../../assembly/layout.ts';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { LockstepError } from '../../core/errors.ts';
import type { EventObject } from '../../core/json.ts';
import { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Core } from '../../core/wasm.ts';
import type { Random } from '../support/random.ts';
import type { Chart, Log } from './chart.ts';
import { escapesConflict, isLegal, nodesOf, type HistoryValue, type Microstep } from './legal.ts';
import type { XState } from './oracle.ts';

/** Events that ours runs alone after XState left the legal configurations. */
const AFTERWARDS = 10;

/** How a chart ended. Only `equal` charts were compared to their last event. */
export type Ending =
  | 'equal'
  /** Both ran out of microsteps on the same event. */
  | 'loop'
  /** One ran out a microstep or two before the other: they count microsteps a little differently. */
  | 'edge'
  /** XState reached a set of nodes that is no configuration, or escaped that by luck: see escapesConflict. */
  | 'illegal'
  /** The random targets cannot be active together, or a history default lies outside; refused at compile time. */
  | 'refused';

export interface Report {
  readonly ending: Ending;
  readonly events: number;
  readonly taken: number;
}

interface Asked {
  readonly core: Core;
  readonly xstate: XState;
  readonly chart: Chart;
  readonly log: Log;
  readonly random: Random;
  readonly eventMax: number;
}

/** Effects first: the first difference is then the earliest. */
interface View {
  readonly effects: readonly string[];
  readonly states: readonly string[];
  readonly value: unknown;
  readonly context: unknown;
  readonly status: string;
  readonly output: unknown;
  readonly timers: readonly string[];
  readonly tags: readonly string[];
}

/** @throws Error describing the first difference. */
export function runPair(asked: Asked): Report {
  const { chart, random, xstate } = asked;
  const machine = xstate.createMachine(chart.config as never, chart.implementations as never);
  const ours = Ours.of(asked, machine);
  if (ours === undefined) return { ending: 'refused', events: 0, taken: 0 };
  const input = random.chance(0.5) ? { n: random.below(9) } : undefined;
  const theirs = new Theirs(asked, machine, input);
  let events = 0;
  let taken = 0;
  const compare = (what: string, run: () => View | 'fuel', expected: View | 'loop' | 'illegal'): Ending | undefined => {
    const found = run();
    ours.checkLegal(what);
    if (expected === 'illegal') return 'illegal';
    if (found === 'fuel' || expected === 'loop') return (found === 'fuel') === (expected === 'loop') ? 'loop' : 'edge';
    difference(what, expected, found);
    return expected.status === 'done' ? 'equal' : undefined;
  };
  try {
    let ending = compare('start', () => ours.start(input), theirs.start());
    while (ending === undefined && events < asked.eventMax) {
      events += 1;
      if (random.chance(0.1)) ours.restore();
      const event = nextEvent(random, chart, theirs.armed());
      if (event.type.startsWith('xstate.after.')) {
        ending = compare(event.type, () => ours.step(event), theirs.fire(event.type));
      } else if (!ours.knows(event.type)) {
        ours.refuses(event);
      } else {
        const what = `${events}: ${JSON.stringify(event)}`;
        difference(`can ${what}`, theirs.can(event), ours.can(event));
        ending = compare(what, () => ours.step(event), theirs.send(event));
      }
      taken += ours.taken ? 1 : 0;
    }
    // What XState gets wrong we still get right, alone.
    for (let alone = 0; ending === 'illegal' && ours.isRunning && alone < AFTERWARDS; alone += 1) {
      ours.step({ type: random.pick(ours.types()), k: alone });
      ours.checkLegal('an event after XState went astray');
    }
    return { ending: ending ?? 'equal', events, taken };
  } finally {
    ours.dispose();
  }
}

function nextEvent(random: Random, chart: Chart, armed: readonly string[]): EventObject {
  if (armed.length > 0 && random.chance(0.2)) return { type: random.pick(armed) };
  return { type: random.pick(chart.types), k: random.below(1000) };
}

function difference(what: string, expected: unknown, found: unknown): void {
  const [one, other] = [expected, found].map((value) => JSON.stringify(value, undefined, 1).split('\n'));
  const line = one!.findIndex((text, index) => text !== other![index]);
  if (line < 0 && one!.length === other!.length) return;
  const part = (lines: readonly string[]): string => lines.slice(Math.max(0, line - 3), line + 5).join('\n');
  throw new Error(`after ${what}, from line ${line}\nXState in document order:\n${part(one!)}\nours:\n${part(other!)}`);
}

// ── Ours ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The authority's clock stands still, so that a timer's due is its delay. */
const STAMP = { now: 0, seed: 1, salt: '' };

class Ours {
  taken = false;
  #instance: Instance;
  readonly #machine: Machine;
  readonly #log: Log;

  /** @returns undefined when the random structure is refused. */
  static of({ core, log }: Asked, source: unknown): Ours | undefined {
    try {
      const image = compileMachine(source);
      return new Ours(Machine.load(core, image.bytes, bind(image.symbols, source)), log);
    } catch (error) {
      if (error instanceof LockstepError && /cannot be active together|lies outside|entered without being left/.test(error.message))
        return undefined;
      throw error;
    }
  }

  private constructor(machine: Machine, log: Log) {
    this.#machine = machine;
    this.#log = log;
    this.#instance = Instance.create(machine);
  }

  start(input: { n: number } | undefined): View | 'fuel' {
    return this.#run(() => this.#instance.start(input, STAMP));
  }

  step(event: EventObject): View | 'fuel' {
    return this.#run(() => this.#instance.step(event, STAMP));
  }

  get isRunning(): boolean {
    return this.#instance.status === 'active';
  }

  can(event: EventObject): boolean {
    return this.#instance.can(event);
  }

  knows(type: string): boolean {
    return this.#machine.eventNumber(type) !== 0;
  }

  /** An event that nothing names is refused and changes nothing. */
  refuses(event: EventObject): void {
    const before = this.#instance.digest();
    try {
      this.#instance.step(event, STAMP);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'UNKNOWN_EVENT') throw error;
      difference(`refusing ${event.type}`, before, this.#instance.digest());
      return;
    }
    throw new Error(`an event of type ${event.type} was taken, and nothing names it`);
  }

  /** Named event types. */
  types(): readonly string[] {
    return this.#machine.symbols.events.slice(1);
  }

  /** Goes on from what it saved, as JSON, in another instance: unlike XState's, its future is the same. */
  restore(): void {
    const { digest, seq } = { digest: this.#instance.digest(), seq: this.#instance.seq };
    const saved = JSON.parse(JSON.stringify(this.#instance.save())) as ReturnType<Instance['save']>;
    this.#instance.dispose();
    this.#instance = Instance.create(this.#machine);
    this.#instance.load(saved, seq);
    difference('saving and loading', digest, this.#instance.digest());
  }

  /** Parents are active; a compound has one active child, a parallel all of them. */
  checkLegal(what: string): void {
    const machine = this.#machine;
    const key = this.#instance.configurationKey;
    if (this.#instance.seq === 0) return;
    for (let state = 0; state < machine.stateCount; state += 1) {
      const children = machine.children(state);
      const count = children.filter((child) => machine.isActive(key, child)).length;
      const wanted = machine.kind(state) === KIND_PARALLEL ? children.length : Math.min(children.length, 1);
      const isLegal = machine.isActive(key, state) ? count === wanted : count === 0 && state !== 0;
      if (!isLegal) throw new Error(`after ${what}: ${machine.symbols.states[state]?.id ?? ''} has ${count} active children`);
    }
  }

  dispose(): void {
    this.#instance.dispose();
  }

  /** Running out of fuel changes nothing. */
  #run(run: () => Outcome): View | 'fuel' {
    this.#log.take();
    const before = this.#instance.digest();
    try {
      const outcome = run();
      this.taken = outcome.taken;
      for (const { fn, context, event, request } of outcome.effects) {
        if (request?.kind === 'log') {
          const { label, value } = request;
          this.#log.entries.push(`log ${JSON.stringify({ label, value })}`);
          continue;
        }
        const bound = this.#machine.functions?.[fn];
        if (bound?.kind !== 'effect') throw new Error(`function ${fn} is no effect`);
        const logged = bound.call({ context, event, isIn: () => false });
        if (logged !== undefined) this.#log.entries.push(`log ${JSON.stringify(logged)}`);
      }
      return this.#view();
    } catch (error) {
      if (error instanceof LockstepError && error.code === 'FUEL') {
        difference('running out of fuel', before, this.#instance.digest());
        return 'fuel';
      }
      throw error;
    }
  }

  #view(): View {
    const snapshot = this.#instance.snapshot();
    const { timers } = this.#machine.symbols;
    return {
      effects: this.#log.take(),
      states: snapshot.active,
      value: sorted(snapshot.value),
      context: snapshot.context,
      status: snapshot.status,
      output: snapshot.output,
      timers: [...this.#instance.timers].map(([timer, due]) => `${timers[timer] ?? ''} ${due}`).sort(),
      tags: [...snapshot.tags].sort(),
    };
  }
}

// ── Theirs ───────────────────────────────────────────────────────────────────────────────────────────────────────

type Actor = ReturnType<XState['createActor']>;
interface Scheduler {
  schedule(source: unknown, target: unknown, event: { type: string }, delay: number, id: string): void;
}

class Theirs {
  readonly #actor: Actor;
  readonly #log: Log;
  /** What its scheduler has armed: event type to delay and callback. */
  readonly #armed = new Map<string, { readonly delay: number; readonly fire: () => void }>();
  #isIllegal = false;
  /** What history remembered before the microstep at hand. */
  #memory: HistoryValue = {};
  #scheduling = '';

  constructor({ xstate, log }: Asked, machine: unknown, input: unknown) {
    this.#log = log;
    const actor = xstate.createActor(
      machine as never,
      {
        ...(input === undefined ? {} : { input }),
        clock: {
          setTimeout: (fire: () => void, delay: number) => {
            this.#armed.set(this.#scheduling, { delay, fire });
            return this.#scheduling as never;
          },
          clearTimeout: (type: unknown) => void this.#armed.delete(type as string),
        },
        logger: (...args: unknown[]) => {
          log.entries.push(`log ${JSON.stringify(args.length > 1 ? { label: args[0], value: args[1] } : { value: args[0] })}`);
        },
        inspect: (inspected: Microstep) => {
          if (inspected.type !== '@xstate.microstep') return;
          this.#isIllegal ||= !isLegal(nodesOf(inspected.snapshot)) || escapesConflict(inspected, this.#memory);
          this.#memory = inspected.snapshot.historyValue;
        },
      } as never,
    ) as Actor;
    const { scheduler } = actor.system as unknown as { scheduler: Scheduler };
    const schedule = scheduler.schedule.bind(scheduler);
    scheduler.schedule = (source, target, event, delay, id) => {
      this.#scheduling = event.type;
      schedule(source, target, event, delay, id);
    };
    actor.subscribe({ error: () => undefined });
    this.#actor = actor;
  }

  start(): View | 'loop' | 'illegal' {
    return this.#run(() => this.#actor.start());
  }

  send(event: EventObject): View | 'loop' | 'illegal' {
    return this.#run(() => {
      this.#actor.send(event as never);
    });
  }

  fire(type: string): View | 'loop' | 'illegal' {
    const armed = this.#armed.get(type);
    this.#armed.delete(type);
    return this.#run(() => armed?.fire());
  }

  armed(): string[] {
    return [...this.#armed.keys()].sort();
  }

  can(event: EventObject): boolean {
    return (this.#actor.getSnapshot() as unknown as { can(event: EventObject): boolean }).can(event);
  }

  #run(run: () => void): View | 'loop' | 'illegal' {
    this.#log.take();
    run();
    const snapshot = this.#actor.getSnapshot() as unknown as {
      value: unknown;
      context: unknown;
      status: string;
      output: unknown;
      error: unknown;
      tags: Set<string>;
    };
    const nodes = nodesOf(snapshot);
    if (snapshot.status === 'error') {
      if (String(snapshot.error).includes('Infinite loop')) return 'loop';
      throw snapshot.error;
    }
    if (this.#isIllegal || !isLegal(nodes)) return 'illegal';
    return {
      effects: this.#log.take(),
      states: [...nodes].sort((a, b) => a.order - b.order).map(({ id }) => id),
      value: sorted(snapshot.value),
      context: snapshot.context,
      status: snapshot.status,
      output: snapshot.output,
      timers: snapshot.status === 'active' ? [...this.#armed].map(([type, { delay }]) => `${type} ${delay}`).sort() : [],
      tags: [...snapshot.tags].sort(),
    };
  }
}

/** The same value with its keys in one order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as { readonly [key: string]: unknown };
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((key) => [key, sorted(fields[key])]),
  );
}
