// The door to XState's own action and guard objects. A lockstep actor resolves every action and guard through them, so that what an action
// does, what it is called in inspection and how it fails is XState's to say, now and in its next version.

import { and, assign, spawnChild, stopChild } from 'xstate';
import type { ActionArgs, AnyActorRef, AnyActorScope, AnyMachineSnapshot, AnyStateMachine, AnyStateNode, EventObject } from 'xstate';

export type Info = ActionArgs<AnyMachineSnapshot['context'], EventObject, EventObject>;

/** What a builtin may use while it is resolved. */
export interface Extra {
  readonly internalQueue: { push(event: EventObject): void };
  /** Actors that the state being entered invokes: a send to one of them waits until it is there. */
  readonly deferredActorIds: readonly string[] | undefined;
}

/** assign(…), raise(…), sendTo(…) and their kin: `resolve` is the pure half, `execute` the effect. */
export interface Builtin {
  readonly type: string;
  resolve(
    scope: AnyActorScope,
    snapshot: AnyMachineSnapshot,
    info: Info,
    params: unknown,
    self: Builtin,
    extra: Extra,
  ): readonly [snapshot: AnyMachineSnapshot, params: unknown, actions?: readonly unknown[]];
  retryResolve?(scope: AnyActorScope, snapshot: AnyMachineSnapshot, params: unknown): void;
  execute?(scope: AnyActorScope, params: unknown): void;
}

export function isBuiltin(action: unknown): action is Builtin {
  return typeof action === 'function' && 'resolve' in action;
}

/** Whether a guard passes: inline, named, parametric or composed. @throws what it throws, or XState's error when it is not implemented. */
export function passes(guard: unknown, snapshot: AnyMachineSnapshot, event: EventObject): boolean {
  return every.check(snapshot, { context: snapshot.context, event }, { guards: [guard] });
}

const every = and([]) as unknown as {
  check(snapshot: AnyMachineSnapshot, found: { context: unknown; event: EventObject }, composed: { guards: readonly unknown[] }): boolean;
};

/** The actions that start what a state invokes. */
export function spawnsOf(node: AnyStateNode): unknown[] {
  return node.invoke.map((invoke) => spawnChild(invoke.src, { ...invoke, syncSnapshot: Boolean(invoke.onSnapshot) } as never));
}

/** The actions that stop what a state invokes. */
export function stopsOf(node: AnyStateNode): unknown[] {
  return node.invoke.map(({ id }) => stopChild(id));
}

export const stopOf = (child: AnyActorRef): unknown => stopChild(child);

/** The action that makes the first context of a machine whose config has a function for it. */
export function contextAction(context: NonNullable<AnyStateMachine['config']['context']>): unknown {
  return assign(({ spawn, event, self }: { spawn: unknown; event: { input?: unknown }; self: unknown }) =>
    (context as (found: object) => object)({ spawn, input: event.input, self }),
  );
}
