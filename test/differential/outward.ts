// The random parts of a chart that reach beyond its instance: child actors and what they are told, events to itself and its parent, delayed and
// emitted events, and actions chosen at run time.

import { printsAs } from '../support/print-config.ts';
import type { Random } from '../support/random.ts';
import { KINDS, kids, SHOWN, type Kind } from './kids.ts';
import { effect, mix, type Given, type Log } from './log.ts';
import type { XState } from './oracle.ts';

export interface Outward {
  readonly random: Random;
  readonly xstate: XState;
  readonly log: Log;
}

type Fields = Record<string, unknown>;
interface GivenMore extends Given {
  readonly context: { readonly kid?: unknown; readonly named?: unknown };
  readonly event: { readonly hops?: number };
  readonly self: unknown;
  spawn(src: string, options: object): unknown;
}

/** Ids of spawned children. */
const CHILDREN = ['kid1', 'kid2'];
const DELAYED = ['E0', 'E2', 'x.y'];
const SEND_IDS = ['d1', 'd2', undefined];
/** What children send of themselves, and what of theirs a chart may name without having invoked them. */
export const FROM_CHILDREN = ['xstate.done.actor.kid1', 'xstate.error.actor.kid2', 'xstate.snapshot.kid2', 'xstate.error.actor.*'];
/** An event that a machine sends to itself again and again becomes one that it does not name. */
const HOPS_MAX = 3;

/** The logic of all children, by name. */
export function actors({ xstate, log }: Outward): Fields {
  return kids(xstate, log);
}

// ── Invoking ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Invoked {
  readonly config: unknown;
  /** Of what has an id of its own. */
  readonly ids: readonly string[];
}

/** @param number of the state. @param transition makes one, with a target or without. */
export function randomInvoke({ random, xstate, log }: Outward, number: number, transition: (hasTarget: boolean) => unknown): Invoked {
  const { below, chance, pick } = random;
  const ids: string[] = [];
  const invoke = (index: number): unknown => {
    const kind = pick(KINDS);
    const id = chance(0.5) ? `kid${number}${index}` : chance(0.1) ? 'kid1' : undefined;
    if (id !== undefined) ids.push(id);
    return {
      // Now and then the logic itself instead of its name.
      src: kind !== 'inner' && chance(0.1) ? printsAs(`kids.${kind}`, kids(xstate, log)[kind] as object) : kind,
      ...(id === undefined ? {} : { id }),
      ...(chance(0.5) ? { input: input(below(1000)) } : {}),
      ...(chance(0.8) ? { onDone: transition(true) } : {}),
      ...(chance(0.8) ? { onError: transition(true) } : {}),
      // Each start tells a snapshot: with a target it would often start again.
      ...(SHOWN.includes(kind) && chance(0.4) ? { onSnapshot: transition(chance(0.1)) } : {}),
    };
  };
  const config = chance(0.2) ? [invoke(1), invoke(2)] : invoke(0);
  return { config, ids };
}

function input(salt: number): unknown {
  return printsAs(`(found) => mix(found, ${salt})`, (found: Given) => mix(found, salt));
}

/** What a state that invokes tells what it invokes: in its entry actions before it is there, in its exit actions, and by the way. */
export function randomTelling(
  { random, xstate }: Outward,
  id: string,
): { readonly entry?: unknown; readonly exit?: unknown; readonly on?: Fields } {
  const { chance, pick } = random;
  const tell = (type: string): unknown => xstate.sendTo(id, { type } as never);
  return {
    ...(chance(0.4) ? { entry: tell('EARLY') } : {}),
    ...(chance(0.4) ? { exit: tell('LATE') } : {}),
    ...(chance(0.6)
      ? {
          on: {
            [pick(['E3', 'x.*'])]: {
              actions: chance(0.5) ? tell('HELLO') : chance(0.5) ? xstate.forwardTo(id) : delayed(random, xstate, id),
            },
          },
        }
      : {}),
  };
}

function delayed(random: Random, xstate: XState, to: unknown): unknown {
  const id = random.pick(SEND_IDS);
  return xstate.sendTo(
    to as never,
    { type: 'LATER', k: random.below(100) } as never,
    { delay: random.pick([15, 'soon', 'later']), ...(id === undefined ? {} : { id }) } as never,
  );
}

// ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param name of effects that it runs. */
export function randomOutward(outward: Outward, name: string): unknown {
  const { random, xstate, log } = outward;
  const { below, chance, pick } = random;
  const salt = below(1000);
  const event = { type: pick(DELAYED), k: salt };
  const made = printsAs(`(found) => ({ type: '${event.type}', k: mix(found, ${salt}), hops })`, (found: GivenMore) => {
    const hops = (found.event.hops ?? 0) + 1;
    return { type: hops > HOPS_MAX ? 'never' : event.type, k: mix(found, salt), hops };
  });
  const computed = printsAs(`(found) => mix(found, ${salt}) % 500`, (found: Given) => mix(found, salt) % 500);
  const id = pick(SEND_IDS);
  const later = { ...(id === undefined ? {} : { id }), delay: pick([30, 'soon', 'later', computed]) };
  const one = chance(0.5) ? event : made;
  switch (below(16)) {
    case 0:
      return xstate.emit(one as never);
    case 1:
      if (later.delay === computed) log.features.saw('raise, delayed by a function');
      if (later.delay === 'soon') log.features.saw('raise, delayed by a name');
      return xstate.raise(one as never, later as never);
    case 2:
      return xstate.cancel(
        id ??
          (printsAs(`(found) => mix(found, ${salt}) % 2 ? 'd1' : 'd2'`, (found: Given) =>
            mix(found, salt) % 2 === 1 ? 'd1' : 'd2',
          ) as never),
      );
    case 3:
      return xstate.spawnChild(pick(KINDS) as never, { id: pick(CHILDREN), input: { salt }, syncSnapshot: chance(0.3) } as never);
    case 4:
      return xstate.stopChild(chance(0.6) ? pick(CHILDREN) : (spawned as never));
    case 5:
    case 6:
      return spawning(outward, salt);
    case 7:
      return xstate.sendTo(itself as never, (chance(0.03) ? event : made) as never);
    case 8:
      return xstate.sendTo(chance(0.8) ? (itself as never) : '#_internal', one as never, later as never);
    case 9:
      return xstate.sendTo(reference(pick(['kid', 'named'])) as never, made as never);
    case 10:
      return chance(0.1) ? xstate.sendTo('nobody', event as never) : delayed(random, xstate, reference(pick(['kid', 'named'])));
    case 11:
      return xstate.sendParent(one as never, chance(0.3) ? (later as never) : undefined);
    default:
      return printsAs(`enqueueActions(/* by mix(found, ${salt}) */)`, chosenAtRunTime(outward, { name, salt }));
  }
}

const itself = printsAs('({ self }) => self', ({ self }: GivenMore) => self);

const spawned = printsAs('({ context }) => context.kid', ({ context }: GivenMore) => context.kid);

/** An actor in the context; the machine itself when there is none. */
function reference(key: 'kid' | 'named'): unknown {
  return printsAs(`({ context, self }) => context.${key} ?? self`, ({ context, self }: GivenMore) => context[key] ?? self);
}

/** `assign` with a spawn in it: of an actor without a name, or of one that another may have. */
function spawning({ random, xstate, log }: Outward, salt: number): unknown {
  const kind: Kind = random.pick(KINDS);
  const named = random.chance(0.4) ? random.pick(CHILDREN) : undefined;
  const syncSnapshot = random.chance(0.3);
  const key = named === undefined ? 'kid' : 'named';
  const make = printsAs(
    `({ spawn, ...found }) => spawn('${kind}', ${JSON.stringify({ id: named, syncSnapshot })}, mix(found, ${salt}))`,
    (given: GivenMore) => {
      log.features.saw('spawn in assign');
      if (named === undefined) log.features.saw('spawn of an actor without a name');
      return given.spawn(kind, { ...(named === undefined ? {} : { id: named }), syncSnapshot, input: { salt: mix(given, salt) % 100 } });
    },
  );
  return random.chance(0.5)
    ? xstate.assign({ [key]: make } as never)
    : xstate.assign(printsAs(`(found) => ({ ${key}: ${salt} })`, (given: GivenMore) => ({ [key]: make(given) })) as never);
}

interface Enqueue {
  (action: unknown): void;
  assign(partial: unknown): void;
  raise(event: unknown, options?: unknown): void;
  emit(event: unknown): void;
  cancel(id: string): void;
  sendTo(to: unknown, event: unknown, options?: unknown): void;
  sendParent(event: unknown): void;
  spawnChild(src: string, options: unknown): void;
  stopChild(id: string): void;
}

/** Each hash queues something else; a child is told something only when it has just been made. */
function chosenAtRunTime({ xstate, log }: Outward, { name, salt }: { name: string; salt: number }): object {
  return xstate.enqueueActions((given: unknown) => {
    const { context, event, enqueue, check } = given as Given & { enqueue: Enqueue; check(guard: unknown): boolean };
    const hash = mix({ context, event }, salt);
    log.features.saw('enqueueActions');
    if ((hash & 1) === 1) enqueue.assign({ n: hash % 40 });
    if ((hash & 6) === 6) enqueue('noted');
    if (check('g1')) enqueue(effect(log, name));
    if ((hash & 24) === 24) enqueue.assign((found: Given) => ({ seen: mix(found, salt) % 7 }));
    if ((hash & 0x1f00000) === 0x1f00000) enqueue.raise({ type: 'x.a', k: hash % 10 });
    if ((hash & 384) === 384) enqueue.emit({ type: 'told', k: hash % 10 });
    if ((hash & 1536) === 1536) enqueue.raise({ type: 'E1', k: hash % 10 }, { delay: 40, id: 'd1' });
    if ((hash & 6144) === 6144) enqueue.cancel('d2');
    if ((hash & 0x6000) === 0x6000) {
      enqueue.spawnChild(KINDS[hash % KINDS.length]!, { id: 'kid2', input: hash % 10 });
      enqueue.sendTo('kid2', { type: 'HELLO', k: hash % 10 });
      enqueue.sendTo('kid2', { type: 'LATER', k: hash % 10 }, { delay: 35, id: 'd2' });
    }
    if ((hash & 0x18000) === 0x18000) enqueue.stopChild('kid1');
    if ((hash & 0x60000) === 0x60000) enqueue.sendParent({ type: 'told', k: hash % 10 });
    if (check({ type: 'parametric', params: { salt } })) enqueue({ type: 'noted', params: { salt } });
  });
}
