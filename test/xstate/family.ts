// Random families of machines: charts of test/differential/chart.ts that invoke, spawn, tell and stop one another. A machine may start those
// that come after it only, and an event remembers how often it was passed on, so that a family stays small and quiet by itself.

import type { AnyStateMachine } from 'xstate';
import { randomChart, type Chart } from '../differential/chart.ts';
import { told } from '../differential/kids.ts';
import { mix, type Given, type Log } from '../differential/log.ts';
import type { XState } from '../differential/oracle.ts';
import type { Random } from '../support/random.ts';

export interface Family {
  /** The root first. */
  readonly machines: readonly AnyStateMachine[];
  /** Event types worth sending. */
  readonly types: readonly string[];
}

export interface Upbringing {
  readonly random: Random;
  readonly xstate: XState;
  readonly log: Log;
  wrap(machine: AnyStateMachine): AnyStateMachine;
}

type Fields = Record<string, unknown>;
interface Seen extends Given {
  readonly context: { readonly pet?: unknown };
  readonly event: { readonly hops?: number; readonly from?: unknown };
  readonly self: unknown;
  readonly system: { get(id: string): unknown };
  readonly input?: { readonly n: number };
  spawn(src: string, options: object): unknown;
}

/** What members of a family say to one another, besides the events of the charts. */
const TOLD = ['T0', 'T1', 'T2'];
/** Told more often than that, an event becomes one that nobody knows. */
const HOPS_MAX = 2;
const HEARD_MAX = 4;
const STATES_MAX = 30;
const SPAWNED = ['kid1', 'kid2'];
const SEND_IDS = ['d1', 'd2', undefined];
const SYSTEM_IDS = ['s0', 's1', 's2'];

export function randomFamily(upbringing: Upbringing): Family {
  const { random, xstate, log } = upbringing;
  const machines: AnyStateMachine[] = [];
  let types: readonly string[] = [];
  // The last first: each knows the ones that come after it.
  for (let number = 1 + random.below(3); number >= 0; number -= 1) {
    const chart = smallChart(upbringing);
    const younger = Object.fromEntries(machines.map((machine, index) => [`m${number + 1 + index}`, machine]));
    const actors = { ...younger, kid: kid(xstate, log), sum: sum(xstate) };
    new Weaver(upbringing, chart, { names: Object.keys(actors), isRoot: number === 0 }).weave();
    const machine = xstate.createMachine(
      chart.config as never,
      { ...chart.implementations, actors } as never,
    ) as unknown as AnyStateMachine;
    machines.unshift(upbringing.wrap(machine));
    types = chart.types;
  }
  return { machines, types: [...types, ...TOLD, ...TOLD] };
}

/** Small enough that all of it is reached, and rarely in a loop of its own: what happens between machines is the point here. */
function smallChart({ random, xstate, log }: Upbringing): Chart {
  for (;;) {
    const chart = randomChart(random, xstate, log);
    const states = statesOf(chart.config, []);
    if (states.length > STATES_MAX) continue;
    for (const { config } of states) if (random.chance(0.9)) delete config.always;
    chart.config.options = { maxIterations: 30 };
    return chart;
  }
}

/** A callback that writes down when it starts, what it hears and when it is stopped. */
function kid(xstate: XState, log: Log): unknown {
  return xstate.fromCallback(({ input, receive, self }) => {
    log.outside.push(told.start(self.id, input));
    receive((event) => void log.outside.push(told.receive(self.id, event)));
    return () => void log.outside.push(told.stop(self.id));
  });
}

/** An actor that is no machine, whose snapshot changes with all it is told. */
function sum(xstate: XState): unknown {
  return xstate.fromTransition(
    (state: { readonly sum: number }, event) => ({
      sum: (state.sum * 7 + mix({ context: null, event: (event as Fields).k ?? 0 }, 'sum')) % 100,
    }),
    { sum: 1 },
  );
}

/** Writes into the config of a chart what makes it a member of a family. */
class Weaver {
  readonly #random: Random;
  readonly #xstate: XState;
  readonly #config: Fields;
  readonly #names: readonly string[];
  readonly #isRoot: boolean;
  readonly #isIll: boolean;
  readonly #targets: string[] = [];
  /** Invoked actors that have a name in the system; two of one name are an error. */
  #named = 0;

  constructor({ random, xstate }: Upbringing, { config }: Chart, { names, isRoot }: { names: readonly string[]; isRoot: boolean }) {
    this.#random = random;
    this.#xstate = xstate;
    this.#config = config;
    this.#names = names;
    this.#isRoot = isRoot;
    this.#isIll = random.chance(0.1);
  }

  weave(): void {
    const { chance } = this.#random;
    const states = statesOf(this.#config, ['m']);
    for (const { id } of states) this.#targets.push(`#${id}`);
    for (const { config } of states.filter(({ config: { type } }) => type !== 'history')) {
      if (chance(0.2)) config.invoke = chance(0.2) ? [this.#invoke(0), this.#invoke(1)] : this.#invoke(0);
      if (chance(0.25)) config.entry = [config.entry ?? [], this.#action()].flat();
      if (chance(0.2)) config.exit = [config.exit ?? [], this.#action()].flat();
      // A wildcard that enters its state again for whatever a child says would do so for ever.
      if (config.on !== undefined && '*' in (config.on as Fields) && chance(0.9)) config.on = { ...config.on, 'xstate.*': {} };
      if (chance(0.5)) config.on = { ...(config.on as Fields | undefined), [this.#random.pick(TOLD)]: this.#told() };
    }
    if (chance(0.25)) this.#config.context = this.#contextWithPet();
    this.#config.on = {
      ...(this.#config.on as Fields | undefined),
      // Mostly somebody cares for a child that fails.
      ...(chance(0.9) ? { 'xstate.error.actor.*': this.#heard() } : {}),
      // The root always has something to do with others.
      ...(this.#isRoot ? { T0: { actions: [this.#spawn(), this.#action(), this.#action()] } } : {}),
    };
  }

  #contextWithPet(): unknown {
    const [src, n] = [this.#name(), this.#random.below(9)];
    return ({ input, spawn }: Seen) => ({ n: input?.n ?? n, list: ['made'], pet: spawn(src, { id: 'pet', input: { n } }) });
  }

  #invoke(index: number): unknown {
    const { chance, pick } = this.#random;
    return {
      src: this.#name(),
      ...(chance(0.5) ? { id: index === 0 ? pick(['one', 'two', 'kid1']) : 'three' } : {}),
      ...(this.#isRoot && this.#named < SYSTEM_IDS.length && chance(0.15) ? { systemId: SYSTEM_IDS[this.#named++] } : {}),
      input: this.#input(),
      ...(chance(0.6) ? { onDone: this.#heard() } : {}),
      ...(chance(0.8) ? { onError: this.#heard() } : {}),
      ...(chance(0.3) ? { onSnapshot: this.#heard() } : {}),
    };
  }

  /** Of a logic; of another machine half of the time. */
  #name(): string {
    const { chance, pick } = this.#random;
    const wanted = chance(0.5);
    const names = this.#names.filter((name) => name.startsWith('m') === wanted);
    return pick(names.length > 0 ? names : this.#names);
  }

  #input(): unknown {
    const salt = this.#random.below(1000);
    return (found: Given) => ({ n: mix(found, salt) % 10 });
  }

  /** What a child says of itself leads elsewhere a few times only: a child that ends at once would be started for ever. */
  #heard(): unknown {
    const { actions = [], ...rest } = this.#transition(0.6);
    const counted = this.#xstate.assign({ heard: ({ context }: { context: { heard?: number } }) => (context.heard ?? 0) + 1 } as never);
    return [
      {
        ...rest,
        guard: ({ context }: { context: { heard?: number } }) => (context.heard ?? 0) < HEARD_MAX,
        actions: [counted, actions].flat(),
      },
      {},
    ];
  }

  #told(): unknown {
    return this.#random.chance(0.3) ? [{ ...this.#transition(0.3), guard: 'g1' }, this.#transition(0.3)] : this.#transition(0.3);
  }

  #transition(targeted: number): Fields {
    const { below, chance, pick } = this.#random;
    const actions = Array.from({ length: below(2) }, () => this.#action());
    return { ...(chance(targeted) ? { target: pick(this.#targets) } : {}), ...(actions.length > 0 ? { actions } : {}) };
  }

  // ── Actions ────────────────────────────────────────────────────────────────────────────────────────────────────

  #action(): unknown {
    const { below, chance, pick } = this.#random;
    const { sendTo, sendParent, stopChild, cancel, emit, assign, raise, forwardTo } = this.#xstate;
    const [event, later] = [this.#event() as never, this.#later() as never];
    switch (below(17)) {
      case 0:
      case 1:
        return this.#spawn();
      case 2:
        return stopChild(chance(0.7) ? pick(SPAWNED) : ((({ context }: Seen) => actorOr(context.pet, 'kid1')) as never));
      case 3:
      case 4:
      case 5:
        return sendTo(this.#someone() as never, event);
      case 6:
        return sendTo(this.#someone() as never, event, later);
      case 7:
      case 8:
        return this.#isRoot ? sendTo(itself as never, event) : sendParent(event);
      case 9:
        return this.#isRoot ? sendTo(itself as never, event, later) : sendParent(event, later);
      case 10:
        return cancel(pick(['d1', 'd2']));
      case 11:
        return emit(this.#event() as never);
      case 12:
        return assign(this.#adopt() as never);
      case 13:
        return raise(event, later);
      case 14:
        return chance(0.5) ? forwardTo(this.#someone() as never) : sendTo(chance(0.1) ? pick(SPAWNED) : '#_internal', event);
      default:
        return this.#chosenAtRunTime();
    }
  }

  #spawn(): unknown {
    const { chance, pick } = this.#random;
    const options = { id: pick(SPAWNED), input: this.#input(), syncSnapshot: chance(0.2) };
    return this.#xstate.spawnChild(this.#name() as never, options as never);
  }

  /** An assign that spawns what the context then names. */
  #adopt(): unknown {
    const { below, chance, pick } = this.#random;
    const [src, id, salt, syncSnapshot] = [this.#name(), pick([...SPAWNED, 'pet']), below(1000), chance(0.2)];
    return (found: Seen) => ({ pet: found.spawn(src, { id, syncSnapshot, input: { n: mix(found, salt) % 10 } }) });
  }

  /** Whom the event came from, what the context names, who is known by a name in the system, or the machine itself. */
  #someone(): unknown {
    const known = this.#random.pick(SYSTEM_IDS);
    return this.#random.pick([
      ({ event, self }: Seen) => actorOr(event.from, self),
      ({ context, self }: Seen) => actorOr(context.pet, self),
      ({ system, self }: Seen) => actorOr(system.get(known), self),
      itself,
    ]);
  }

  #event(): unknown {
    const { below, chance, pick } = this.#random;
    const [type, salt, isSigned] = [pick([...TOLD, ...TOLD, 'E0', 'E2', 'x.y']), below(1000), chance(0.5)];
    return (found: Seen) => {
      const hops = (found.event.hops ?? 0) + 1;
      return { type: hops > HOPS_MAX ? 'never' : type, k: mix(found, salt) % 1000, hops, ...(isSigned ? { from: found.self } : {}) };
    };
  }

  #later(): object {
    const { pick } = this.#random;
    const id = pick(SEND_IDS);
    return { delay: pick([30, 'soon', 'later']), ...(id === undefined ? {} : { id }) };
  }

  /** Each hash queues something else. */
  #chosenAtRunTime(): unknown {
    const { below, pick } = this.#random;
    const [salt, src, event, someone] = [below(1000), this.#name(), this.#event(), this.#someone()];
    const guard = pick(['g1', 'inOne', 'composed']);
    const isIll = this.#isIll;
    return this.#xstate.enqueueActions((given: unknown) => {
      const { context, event: found, enqueue, check } = given as Given & { enqueue: Enqueue; check(guard: unknown): boolean };
      const hash = mix({ context, event: found }, salt);
      if (isIll && hash % 13 === 0) throw new Error(`ill ${salt}`);
      if ((hash & 3) === 3) enqueue.assign({ n: hash % 40 });
      if (check(guard)) enqueue('noted');
      if ((hash & 12) === 12) {
        enqueue.spawnChild(src, { id: 'kid2', input: { n: hash % 10 } });
        enqueue.sendTo('kid2', event);
      }
      if ((hash & 48) === 48) enqueue.sendTo(someone, event);
      if ((hash & 192) === 192) enqueue.stopChild('kid1');
      if ((hash & 768) === 768) enqueue.emit({ type: 'told', k: hash % 10 });
      if ((hash & 0x1c00) === 0x1c00) enqueue.raise({ type: 'T1', k: hash % 10 });
    });
  }
}

interface Enqueue {
  (action: unknown): void;
  assign(partial: unknown): void;
  raise(event: unknown): void;
  emit(event: unknown): void;
  sendTo(to: unknown, event: unknown): void;
  spawnChild(src: string, options: unknown): void;
  stopChild(id: string): void;
}

/** A reference that was persisted may stay what it is as JSON. */
function actorOr(found: unknown, self: unknown): unknown {
  return typeof found === 'object' && found !== null && 'send' in found ? found : self;
}

const itself = ({ self }: Seen): unknown => self;

interface State {
  readonly id: string;
  readonly config: Fields;
}

/** All states but the root, history included; a target may be any of them. */
function statesOf(config: Fields, path: readonly string[]): State[] {
  return Object.entries((config.states ?? {}) as Record<string, Fields>).flatMap(([key, state]) => {
    const below = [...path, key];
    return [{ id: (state.id as string | undefined) ?? below.join('.'), config: state }, ...statesOf(state, below)];
  });
}
