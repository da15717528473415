// Runs the actors of a machine by XState's own means: promises, callbacks, observables, transitions, machines, anything with the shape of its
// actor logic. Each group is one actor system whose root stands for the instance and passes on what its children say, as plain JSON.

import { createActor, type AnyActorLogic, type AnyActorRef } from 'xstate';
import { failure, type ActorGroup, type ActorRunner, type RunningActor } from '../core/children.ts';
import { LockstepError } from '../core/errors.ts';
import type { EventObject } from '../core/json.ts';
import type { LocalEnvironment } from '../core/local.ts';
import type { Machine } from '../core/machine.ts';
import { plain } from '../core/plain.ts';
import { beginning, ending } from '../core/relational/actors.ts';
import { RelationalMachine } from '../core/relational/local.ts';
import type { ChildStart } from '../core/request.ts';
import { isFields } from '../core/fields.ts';
import { isFunction } from '../core/source.ts';
import type { Core } from '../core/wasm.ts';
import { isRelational } from './dialects/relational.ts';
import { loadMachine } from './index.ts';

/** What the actors' own delays and logs need. */
export interface ActorEnvironment {
  /** @returns a function that cancels it. */
  timer(delayMs: number, callback: () => void): () => void;
  log?(...values: unknown[]): void;
}

/** For `LocalSystem`, peers and servers: the machines that they run may then invoke and spawn. */
export function xstateActors(environment: ActorEnvironment): ActorRunner {
  return { open: () => new Group(environment) };
}

/** The root does nothing but be there. */
const ROOT_LOGIC: AnyActorLogic = {
  transition: (snapshot: unknown) => snapshot,
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
  getPersistedSnapshot: (snapshot: unknown) => snapshot,
} as AnyActorLogic;

/**
 * For machines that run right here (`LocalSystem`, `RelationalMachine`): relational machines among their actors run on `core`, all else by
 * XState's means.                                                                                                        (REL-40)
 */
export function localActors(core: Core, environment: LocalEnvironment): ActorRunner {
  const others = xstateActors(environment);
  const runner: ActorRunner = {
    open: () => {
      const group = others.open();
      const running = new Set<RelationalMachine>();
      return {
        start: (child, logic, tell, isRestart) => {
          if (!isRelational(logic)) return group.start(child, logic, tell, isRestart);
          const machine = loadMachine(core, logic);
          const { actor, face } = relationalActor(child, machine, { environment: { ...environment, actors: runner }, tell });
          running.add(face);
          return { send: actor.send, stop: () => void (running.delete(face) && face.dispose()) };
        },
        close: () => {
          for (const face of running) face.dispose();
          running.clear();
          group.close();
        },
      };
    },
  };
  return runner;
}

/** A relational machine as the actor of another one. */
function relationalActor(
  { id, input, sync }: ChildStart,
  machine: Machine,
  { environment, tell }: { readonly environment: LocalEnvironment; readonly tell: (event: EventObject) => void },
): { readonly actor: Pick<RunningActor, 'send'>; readonly face: RelationalMachine } {
  const face = new RelationalMachine(machine, { environment, id, parent: tell });
  face.onStep(({ before, after, args }) => {
    const isBegun = (name: string): boolean => {
      const state = machine.stateNumber(name);
      return before[state] !== after[state] && (after[state]! & 1) === 1;
    };
    const end = ending(machine, isBegun, args);
    if (end?.kind === 'done')
      tell({ type: `xstate.done.actor.${id}`, ...(end.output === undefined ? {} : { output: end.output }), actorId: id });
    else if (end?.kind === 'failed') tell(failure(id, end.error));
    else if (sync === true) {
      const value = Object.fromEntries(face.active.map((name) => [name, {}]));
      tell({ type: `xstate.snapshot.${id}`, snapshot: { status: 'active', value, context: {} } });
    }
  });
  const begin = beginning(machine, input);
  if (begin !== undefined) face.send(begin);
  return { actor: { send: (event) => face.send(event) }, face };
}

class Group implements ActorGroup {
  readonly #root: AnyActorRef;
  readonly #running = new Set<() => void>();
  readonly #timers = new Map<number, () => void>();
  #nextTimer = 1;

  constructor({ timer, log }: ActorEnvironment) {
    this.#root = createActor(ROOT_LOGIC, {
      id: 'instance',
      clock: {
        setTimeout: (callback: () => void, delayMs: number) => {
          const id = this.#nextTimer++;
          const run = (): void => {
            this.#timers.delete(id);
            callback();
          };
          this.#timers.set(id, timer(Math.max(0, delayMs), run));
          return id;
        },
        clearTimeout: (id: number) => this.#clear(id),
      },
      logger: log ?? (() => undefined),
    });
    this.#root.start();
  }

  start(child: ChildStart, logic: unknown, tell: (event: EventObject) => void): RunningActor {
    if (!isLogic(logic)) throw new LockstepError('BAD_DEFINITION', `the logic of actor "${child.id}" (${child.src}) is no actor logic`);
    const { id, src, input, sync, systemId } = child;
    // To each child the root shows a face of its own, so that what it hears has a sender.
    const parent = Object.create(this.#root, {
      _send: { value: (event: EventObject) => tell(told(id, event)) },
    }) as AnyActorRef;
    const options = { id, src, parent, input, syncSnapshot: sync === true, ...(systemId === undefined ? {} : { systemId }) };
    const actor = createActor(logic, options as object);
    const end = (): void => {
      this.#running.delete(end);
      stop(actor);
    };
    this.#running.add(end);
    actor.start();
    return { send: (event) => actor.send(event), stop: end };
  }

  close(): void {
    for (const end of [...this.#running]) end();
    for (const id of [...this.#timers.keys()]) this.#clear(id);
  }

  #clear(id: number): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }
}

/** XState lets only the parent stop a child, and by this way: behind the events that it was sent before. */
function stop(actor: unknown): void {
  (actor as { _stop(): void })._stop();
}

function isLogic(logic: unknown): logic is AnyActorLogic {
  return isFields(logic) && isFunction(logic.transition) && isFunction(logic.getInitialSnapshot);
}

/** What a child tells its parent, as plain JSON. What cannot be is told as the child's error. */
function told(id: string, event: EventObject): EventObject {
  try {
    if (event.type === `xstate.error.actor.${id}`) return failure(id, event['error']);
    if (event.type !== `xstate.snapshot.${id}`) return plain(event, `event "${event.type}" of actor "${id}"`) as unknown as EventObject;
    return { type: event.type, snapshot: plain(shown(event['snapshot']), `snapshot of actor "${id}"`) };
  } catch (error) {
    return failure(id, error);
  }
}

/** Of a snapshot what is data. */
function shown(snapshot: unknown): unknown {
  if (!isFields(snapshot)) return snapshot;
  const { status, value, context, output } = snapshot;
  return { status, value, context, output };
}
