// Actors that a relational machine invokes: while a state is active, the actor that the definition names for it runs. Which of them run
// follows from which states are active, so no step records them; what they come to is a mutation.

import type { Children } from '../children.ts';
import type { EventObject, Json } from '../json.ts';
import type { Machine } from '../machine.ts';
import { isMutation, mutation } from '../mutation.ts';
import type { ChildStart } from '../request.ts';
import { isFields } from '../fields.ts';
import { actorPath } from '../source.ts';
import type { ActorSymbol } from '../symbols.ts';

const DONE = 'xstate.done.actor.';
const FAILED = 'xstate.error.actor.';

export class StateActors {
  readonly #machine: Machine;
  readonly #children: Children;
  /** By state number. */
  readonly #invoking: readonly number[];

  constructor(machine: Machine, children: Children) {
    this.#machine = machine;
    this.#children = children;
    this.#invoking = machine.symbols.states.flatMap(({ actor }, state) => (actor === undefined ? [] : [state]));
  }

  get isEmpty(): boolean {
    return this.#invoking.length === 0;
  }

  /**
   * A step was made: actors of states that ended stop, those of states that began start, anew where there was one.
   * @param moved whether the state's clock did. @param args of the mutation: the actors' input.
   */
  stepped(moved: (state: number) => boolean, isActive: (state: number) => boolean, args: Json | undefined): void {
    for (const state of this.#invoking) {
      if (!moved(state)) continue;
      if (isActive(state)) this.#start(state, args, false);
      else this.#children.stop(this.#key(state));
    }
  }

  /** The machine goes on with another schema: what only that one names begins, what only the one before named stops. */
  follow(before: StateActors, isActive: (state: number) => boolean): void {
    for (const state of before.#invoking) if (!this.#invoking.includes(state)) this.#children.stop(this.#key(state));
    for (const state of this.#invoking) if (!before.#invoking.includes(state) && isActive(state)) this.#start(state, undefined, true);
  }

  /** The machine came back: so do the actors of active states. Their args are known no more. */
  resume(isActive: (state: number) => boolean): void {
    for (const state of this.#invoking) if (isActive(state)) this.#start(state, undefined, true);
  }

  /** The logic of those that run while these states are active. */
  logics(isActive: (state: number) => boolean): readonly unknown[] {
    return this.#invoking.filter(isActive).map((state) => this.#machine.logicOf(actorPath(this.#key(state))));
  }

  #start(state: number, input: Json | undefined, isRestart: boolean): void {
    const id = this.#key(state);
    const child: ChildStart = { id, src: actorPath(id), ...(input === undefined ? {} : { input }) };
    this.#children.start(child, this.#machine.logicOf(child.src), isRestart);
  }

  #key(state: number): string {
    return this.#machine.symbols.states[state]!.key;
  }
}

const EXCEPTION = 'Exception';
const START = 'Start';

/** What begins a relational machine that was invoked: its state Start, where there is one, with the input as args. */
export function beginning({ symbols }: Machine, input: Json | undefined): EventObject | undefined {
  return symbols.states.some(({ key }) => key === START) ? mutation('add', [START], input) : undefined;
}

/** What a step means for who invoked the machine: it is done in the state that its definition names, with the args of that mutation, and has failed in Exception. */
export function ending({ symbols }: Machine, isBegun: (state: string) => boolean, args: Json | undefined): Ending | undefined {
  if (isBegun(EXCEPTION)) return { kind: 'failed', error: errorOf(args) };
  return symbols.doneState !== undefined && isBegun(symbols.doneState) ? { kind: 'done', output: args } : undefined;
}

export type Ending = { readonly kind: 'done'; readonly output: Json | undefined } | { readonly kind: 'failed'; readonly error: Json };

/** What Exception was added for, as other machines fail. */
function errorOf(args: Json | undefined): Json {
  const { error, name } = (isFields(args) ? args : {}) as { readonly error?: Json; readonly name?: Json };
  return typeof error === 'string' ? { name: name ?? 'Error', message: error } : (args ?? { name: 'Error', message: EXCEPTION });
}

/**
 * What an actor says, as a mutation of the machine that invoked it.
 * @returns undefined for what is none and stands for none.
 */
export function toldMutation({ symbols }: Machine, event: EventObject): EventObject | undefined {
  const { type, output, error } = event as EventObject & { readonly output?: Json; readonly error?: Json };
  if (isMutation(type)) return event;
  const actorOf = (prefix: string): ActorSymbol | undefined =>
    type.startsWith(prefix) ? symbols.states.find(({ key }) => key === type.slice(prefix.length))?.actor : undefined;
  const done = actorOf(DONE)?.done;
  if (done !== undefined) return mutation('add', [done], output);
  const failed = actorOf(FAILED);
  if (failed === undefined) return undefined;
  return mutation('add', failed.error === undefined ? [EXCEPTION] : [failed.error, EXCEPTION], error);
}
