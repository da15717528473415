// The random parts of a chart that reach beyond its instance: child actors, delayed and emitted events, and actions chosen at run time. A child
// does nothing but write down when it starts, what it is told and when it is stopped.

import { printsAs } from '../support/print-config.ts';
import type { Random } from '../support/random.ts';
import { effect, mix, type Given, type Log } from './log.ts';
import type { XState } from './oracle.ts';

export interface Outward {
  readonly random: Random;
  readonly xstate: XState;
  readonly log: Log;
}

const CHILDREN = ['kid1', 'kid2'];
const DELAYED = ['E0', 'E2', 'x.y'];
const SEND_IDS = ['d1', 'd2', undefined];

/** Child actors send these; a test sends them in their place. (A child with onSnapshot would send events of its own in XState.) */
export const CHILD_EVENTS = ['xstate.done.actor.', 'xstate.error.actor.'] as const;

/** What a child says of itself, in the one form that both sides use. */
export const told = {
  start: (id: string, input: unknown): string => `start ${id} ${JSON.stringify(input)}`,
  receive: (id: string, event: unknown): string => `receive ${id} ${JSON.stringify(event)}`,
  stop: (id: string): string => `stop ${id}`,
  emit: (event: unknown): string => `emit ${JSON.stringify(event)}`,
};

/** The logic of all children. */
export function kid({ xstate, log }: Outward): unknown {
  return xstate.fromCallback(({ input, receive, self }) => {
    const { id } = self;
    log.outside.push(told.start(id, input));
    receive((event) => log.outside.push(told.receive(id, event)));
    return () => {
      log.outside.push(told.stop(id));
    };
  });
}

export function randomInvoke({ random }: Outward, transition: () => unknown): unknown {
  const { below, chance, pick } = random;
  const salt = below(1000);
  const invoke = (): unknown => ({
    src: 'kid',
    ...(chance(0.5) ? { id: pick(['kid1', 'kid3', 'kid4']) } : {}),
    ...(chance(0.5) ? { input: printsAs(`(found) => mix(found, ${salt})`, (found: Given) => mix(found, salt)) } : {}),
    ...(chance(0.5) ? { onDone: transition() } : {}),
    ...(chance(0.3) ? { onError: transition() } : {}),
  });
  return chance(0.2)
    ? [
        { ...(invoke() as object), id: `kid${5 + below(2)}` },
        { ...(invoke() as object), id: `kid${7 + below(2)}` },
      ]
    : invoke();
}

/** @param name of effects that it runs. */
export function randomOutward(outward: Outward, name: string): unknown {
  const { random, xstate } = outward;
  const { below, chance, pick } = random;
  const salt = below(1000);
  const event = { type: pick(DELAYED), k: salt };
  const made = printsAs(`(found) => ({ type: '${event.type}', k: mix(found, ${salt}) })`, (found: Given) => ({
    ...event,
    k: mix(found, salt),
  }));
  const id = pick(SEND_IDS);
  const named = id === undefined ? {} : { id };
  switch (below(9)) {
    case 0:
      return xstate.emit((chance(0.5) ? event : made) as never);
    case 1:
    case 2: {
      const computed = printsAs(`(found) => mix(found, ${salt}) % 500`, (found: Given) => mix(found, salt) % 500);
      return xstate.raise((chance(0.5) ? event : made) as never, { ...named, delay: pick([30, 'soon', 'later', computed]) } as never);
    }
    case 3:
      return xstate.cancel(
        id ??
          (printsAs(`(found) => mix(found, ${salt}) % 2 ? 'd1' : 'd2'`, (found: Given) =>
            mix(found, salt) % 2 === 1 ? 'd1' : 'd2',
          ) as never),
      );
    case 4:
      return xstate.spawnChild('kid' as never, { id: pick(CHILDREN), input: { salt } } as never);
    case 5:
      return xstate.stopChild(pick(CHILDREN));
    default:
      return printsAs(`enqueueActions(/* by mix(found, ${salt}) */)`, chosenAtRunTime(outward, { name, salt }));
  }
}

interface Enqueue {
  (action: unknown): void;
  assign(partial: unknown): void;
  raise(event: unknown, options?: unknown): void;
  emit(event: unknown): void;
  cancel(id: string): void;
  sendTo(to: unknown, event: unknown): void;
  spawnChild(src: string, options: unknown): void;
  stopChild(id: string): void;
}

/** Each hash queues something else; a child is told something only when it has just been made. */
function chosenAtRunTime({ xstate, log }: Outward, { name, salt }: { name: string; salt: number }): object {
  return xstate.enqueueActions((given: unknown) => {
    const { context, event, enqueue, check } = given as Given & { enqueue: Enqueue; check(guard: unknown): boolean };
    const hash = mix({ context, event }, salt);
    if ((hash & 1) === 1) enqueue.assign({ n: hash % 40 });
    if ((hash & 6) === 6) enqueue('noted');
    if (check('g1')) enqueue(effect(log, name));
    if ((hash & 24) === 24) enqueue.assign((found: Given) => ({ seen: mix(found, salt) % 7 }));
    if ((hash & 96) === 96) enqueue.raise({ type: 'x.a', k: hash % 10 });
    if ((hash & 384) === 384) enqueue.emit({ type: 'told', k: hash % 10 });
    if ((hash & 1536) === 1536) enqueue.raise({ type: 'E1', k: hash % 10 }, { delay: 40, id: 'd1' });
    if ((hash & 6144) === 6144) enqueue.cancel('d2');
    if ((hash & 0x6000) === 0x6000) {
      enqueue.spawnChild('kid', { id: 'kid2', input: hash % 10 });
      enqueue.sendTo('kid2', { type: 'HELLO', k: hash % 10 });
    }
    if ((hash & 0x18000) === 0x18000) enqueue.stopChild('kid1');
    if (check({ type: 'parametric', params: { salt } })) enqueue({ type: 'noted', params: { salt } });
  });
}
