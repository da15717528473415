// One macrostep of an XState actor, run live in the core: the core selects, leaves, enters and queues; whatever lies outside the
// configuration (context, children, effects) happens here, at the moment the core asks for it, through XState's own objects.

import type { AnyActorRef, AnyActorScope, AnyMachineSnapshot, AnyStateNode, AnyTransitionDefinition, EventObject } from 'xstate';
import {
  ACTION_ARG_MASK,
  FAULT_FUEL,
  FAULT_HOST,
  FAULT_UNHANDLED,
  HANDLE_ARG_MASK,
  HANDLE_DONE,
  HANDLE_EXTERNAL,
  HOST_CHANGED,
  LIVE,
  MUST_HANDLE,
  QUEUE_MAX,
} from '../../assembly/layout.ts';
import { assert, LockstepError } from '../../core/errors.ts';
import type { CoreHost } from '../../core/wasm.ts';
import { runActions, type Retry } from './actions.ts';
import { passes, stopOf } from './builtins.ts';
import type { Chart } from './chart.ts';
import type { Seat } from './seat.ts';
import type { Change, Snapshots } from './snapshot.ts';

/** Who runs: the same for all steps of an actor. */
export interface Actor {
  readonly chart: Chart;
  readonly snapshots: Snapshots;
  readonly scope: AnyActorScope;
}

const INIT = 'xstate.init';
const ERROR = 'xstate.error.actor';

export class Step implements CoreHost {
  /** After each microstep, the initial one left out: what XState's inspection shows. */
  readonly microsteps: AnyMachineSnapshot[] = [];
  readonly #actor: Actor;
  readonly #seat: Seat;
  readonly #external: EventObject;
  /** What it is now, in the middle of the step; its nodes are those of the microstep before. */
  #snapshot: AnyMachineSnapshot;
  /** Events of the internal queue that were made here, by handle; 1 is the first. */
  readonly #made: EventObject[] = [];
  #handle = HANDLE_EXTERNAL;
  #event: EventObject;
  /** Of the state that was entered last, until something else happens: its initial transition's actions belong to it. */
  readonly #retries: Retry[] = [];
  #invoked: readonly string[] = [];
  /** States left in this microstep, in order. */
  readonly #left: AnyStateNode[] = [];
  /** XState shows no microstep for the one that begins with xstate.init. */
  #isShown: boolean;

  constructor(actor: Actor, seat: Seat, snapshot: AnyMachineSnapshot, event: EventObject) {
    this.#actor = actor;
    this.#seat = seat;
    this.#snapshot = snapshot;
    this.#external = event;
    this.#event = event;
    this.#isShown = event.type !== INIT;
  }

  /** Runs the initial macrostep. @throws what an author's function threw. */
  start(): AnyMachineSnapshot {
    const { core, instance } = this.#seat;
    this.#seat.clear();
    core.host = this;
    return this.#finish(core.exports.start(instance, LIVE));
  }

  /** @returns the snapshot after the event; the same object when nothing changed. @throws what an author's function threw. */
  run(): AnyMachineSnapshot {
    const { core, instance } = this.#seat;
    const { type } = this.#external;
    this.#seat.load(this.#snapshot);
    core.host = this;
    // Whoever sends xstate.init selects nothing by it, not even by a wildcard.
    const number = type === INIT ? 0 : this.#actor.chart.eventNumber(type);
    return this.#finish(core.exports.step(instance, number, String(type).startsWith(ERROR) ? LIVE | MUST_HANDLE : LIVE));
  }

  #finish(result: number): AnyMachineSnapshot {
    if (result === FAULT_UNHANDLED) return this.#end({ status: 'error', error: (this.#external as { error?: unknown }).error });
    if (result < 0) throw this.#fault(result);
    this.#seat.keep(this.#snapshot);
    if (this.#snapshot.status !== 'active') this.#stopChildren();
    return this.#snapshot;
  }

  /** Ends the actor without a step: XState's answer to `xstate.stop`. */
  stop(): AnyMachineSnapshot {
    return this.#end({ status: 'stopped' });
  }

  #end(change: Change): AnyMachineSnapshot {
    this.#snapshot = this.#actor.snapshots.changed(this.#stopChildren(), change);
    this.#inspect([]);
    return this.#snapshot;
  }

  #stopChildren(): AnyMachineSnapshot {
    const children = Object.values(this.#snapshot.children as { [id: string]: AnyActorRef });
    return runActions(children.map(stopOf), this.#snapshot, {
      scope: this.#actor.scope,
      event: this.#event,
      internalQueue: [],
      deferredActorIds: undefined,
      retries: undefined,
    });
  }

  #fault(result: number): unknown {
    const { core } = this.#seat;
    if (result === FAULT_HOST) {
      const { thrown } = core;
      core.thrown = undefined;
      return thrown;
    }
    if (result === FAULT_FUEL) return new Error(endless(this.#actor.chart.fuel));
    return new LockstepError('CORE', `the core answered fault ${result} to "${this.#external.type}"`);
  }

  // ── What the core asks ─────────────────────────────────────────────────────────────────────────────────────────

  guard(fn: number, handle: number): number {
    this.#see(handle);
    const asked = this.#actor.chart.functions[fn]!;
    assert(asked.kind === 'guard', 'the image names a guard');
    const { guard, source } = asked.transition;
    // XState lets the errors of eventless guards through as they are.
    if (asked.isEventless) return Number(passes(guard, this.#snapshot, this.#event));
    try {
      return Number(passes(guard, this.#snapshot, this.#event));
    } catch (error) {
      throw new Error(unableTo(guard, this.#event, source, error));
    }
  }

  /** Outputs: of a final state, in the done event of its parent, and of the root. */
  action(fn: number, handle: number): number {
    this.#settle();
    this.#see(handle);
    const asked = this.#actor.chart.functions[fn]!;
    assert(asked.kind === 'output', 'the image names an output');
    const { node } = asked;
    const { output } = node;
    const value: unknown =
      typeof output === 'function'
        ? (output as (found: object) => unknown)({ context: this.#snapshot.context, event: this.#event, self: this.#actor.scope.self })
        : output;
    if (node.parent === undefined) this.#snapshot = this.#actor.snapshots.changed(this.#snapshot, { status: 'done', output: value });
    // What completes the machine tells the root by its own name, all else tells its parent.
    else this.#made.push(doneEvent(this.#seat.isDone ? node : node.parent, value));
    return 0;
  }

  live(word: number, handle: number): number {
    const before = this.#snapshot;
    if (this.#seat.isDone && before.status === 'active') {
      this.#settle();
      this.#snapshot = this.#actor.snapshots.changed(this.#snapshot, { status: 'done', output: undefined });
    }
    this.#see(handle);
    if (word === 0) this.#endMicrostep();
    else this.#act(word & ACTION_ARG_MASK);
    return this.#snapshot === before ? 0 : HOST_CHANGED;
  }

  #act(fn: number): void {
    const asked = this.#actor.chart.functions[fn]!;
    switch (asked.kind) {
      case 'enter':
        this.#settle();
        this.#invoked = asked.invoked;
        this.#run(asked.node.entry, this.#retries);
        return this.#run(asked.spawns, this.#retries);
      case 'initial':
        return this.#run(asked.node.initial.actions, this.#retries);
      case 'leave':
        this.#settle();
        this.#run(asked.node.exit);
        if (this.#seat.isDone) return;
        this.#left.push(asked.node);
        return this.#run(asked.stops);
      case 'transition':
        this.#settle();
        return this.#run(asked.transition.actions);
      default:
        throw new LockstepError('CORE', `function ${fn} is a ${asked.kind}, the core takes it for an action`);
    }
  }

  #run(actions: readonly unknown[], retries?: Retry[]): void {
    this.#snapshot = runActions(actions, this.#snapshot, {
      scope: this.#actor.scope,
      event: this.#event,
      internalQueue: this.#queue,
      deferredActorIds: retries === undefined ? undefined : this.#invoked,
      retries,
    });
  }

  /** All actions of entering a state have run: what had to wait for the actors that it invokes looks again. */
  #settle(): void {
    for (const retry of this.#retries.splice(0)) retry(this.#snapshot);
  }

  readonly #queue = {
    push: (event: EventObject): void => {
      const { core } = this.#seat;
      if (core.exports.raise(this.#actor.chart.eventNumber(event.type)) < 0) {
        throw new LockstepError('OVERFLOW', `more than ${QUEUE_MAX} raised events wait on "${this.#external.type}"`);
      }
      this.#made.push(event);
    },
  };

  /** The event that functions see from here on. */
  #see(handle: number): void {
    if (handle === this.#handle) return;
    this.#handle = handle;
    if (handle === HANDLE_EXTERNAL) this.#event = this.#external;
    else if ((handle & HANDLE_DONE) !== 0) this.#event = doneEvent(this.#actor.chart.nodes[handle & HANDLE_ARG_MASK]!, undefined);
    else this.#event = this.#made[handle - 1]!;
  }

  // ── Microsteps ─────────────────────────────────────────────────────────────────────────────────────────────────

  #endMicrostep(): void {
    this.#settle();
    const { chart, snapshots } = this.#actor;
    const historyValue = this.#historyValue();
    if (this.#seat.hasMoved() || historyValue !== this.#snapshot.historyValue) {
      this.#snapshot = snapshots.changed(this.#snapshot, { _nodes: this.#seat.nodes(), historyValue });
    }
    if (!this.#isShown) this.#isShown = true;
    else this.#inspect(this.#seat.selected().map((transition) => chart.transitions[transition]!));
  }

  /** What was remembered, by the id of the history node; the same object when no state was left that has one. */
  #historyValue(): AnyMachineSnapshot['historyValue'] {
    const { chart } = this.#actor;
    const { historyValue } = this.#snapshot;
    const memories = this.#left
      .splice(0)
      .flatMap((node) => chart.historiesOf(node).map((history) => [chart.histories[history]!.id, this.#seat.memory(history)] as const));
    return memories.length === 0 ? historyValue : { ...historyValue, ...Object.fromEntries(memories) };
  }

  #inspect(transitions: readonly AnyTransitionDefinition[]): void {
    this.microsteps.push(this.#snapshot);
    const { self, system } = this.#actor.scope;
    (system as InspectedSystem)._sendInspectionEvent({
      type: '@xstate.microstep',
      actorRef: self,
      event: this.#event,
      snapshot: this.#snapshot,
      _transitions: transitions,
    });
  }
}

/** What XState's types leave out of a system. */
type InspectedSystem = AnyActorScope['system'] & { _sendInspectionEvent(event: object): void };

const doneEvent = ({ id }: AnyStateNode, output: unknown): EventObject & { output: unknown } => ({
  type: `xstate.done.state.${id}`,
  output,
});

function endless(limit: number): string {
  return `Infinite loop detected: the machine has processed more than ${limit} microsteps without reaching a stable state. This usually happens when there's a cycle of transitions (e.g., eventless transitions or raised events causing state A -> B -> C -> A).`;
}

function unableTo(guard: unknown, event: EventObject, source: AnyStateNode, error: unknown): string {
  const type = typeof guard === 'string' ? guard : typeof guard === 'object' ? (guard as { type?: unknown }).type : undefined;
  const named = type ? `'${String(type)}' ` : '';
  return `Unable to evaluate guard ${named}in transition for event '${event.type}' in state node '${source.id}':\n${(error as Error).message}`;
}
