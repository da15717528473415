// The machine itself, but stepped by the core: an object that has the machine as its prototype, so that all that users and tools read on a
// machine (config, root, implementations, states, definition …) is there, and whose own methods are those that make snapshots.

import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject, Snapshot } from 'xstate';
import { runActions } from './actions.ts';
import { contextAction } from './builtins.ts';
import { Chart } from './chart.ts';
import { withCore } from './cores.ts';
import { Seat } from './seat.ts';
import { Snapshots } from './snapshot.ts';
import { Step } from './step.ts';

const logics = new WeakSet();

/**
 * The same machine as an actor logic whose transitions run in the core, in document order.        (XSTATE-1)
 * @param machine an XState 5 machine; it is not changed and can still be used as it is. A logic is returned as it is.
 * @returns what replaces it in createActor, spawn, invoke, transition, setup({ actors }), @xstate/react and so on.
 * @throws LockstepError BAD_DEFINITION or UNSUPPORTED, naming machine, path and reason, when the core cannot run its structure.
 */
export function lockstep<T extends AnyStateMachine>(machine: T): T {
  if (logics.has(machine)) return machine;
  const chart = new Chart(machine);
  return logicOf(machine, () => chart);
}

function logicOf<T extends AnyStateMachine>(machine: T, chartOf: () => Chart): T {
  const logic = Object.assign(Object.create(Object.getPrototypeOf(machine) as object) as T, machine);
  const snapshots = new Snapshots(logic);
  // XState's own methods, to be called on the logic; a machine has some of them bound to itself as well.
  const theirs = machineMethods(machine);

  const run = (how: 'start' | 'run' | 'stop', snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): Ran =>
    withCore((core) => {
      const chart = chartOf();
      const step = new Step({ chart, snapshots, scope }, Seat.of(chart, core), snapshot, event);
      return { snapshot: step[how](), microsteps: step.microsteps };
    });
  const take = (snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): Ran =>
    run(event.type === 'xstate.stop' ? 'stop' : 'run', snapshot, event, scope);

  const own = {
    getInitialSnapshot(scope: AnyActorScope, input?: unknown): AnyMachineSnapshot {
      const event = { type: 'xstate.init', input };
      let snapshot = snapshots.blank();
      try {
        snapshot = withContext(logic, snapshot, event, scope);
        return run('start', snapshot, event, scope).snapshot;
      } catch (error) {
        return snapshots.changed(snapshot, { status: 'error', error });
      }
    },
    transition(snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): AnyMachineSnapshot {
      if (snapshot.status !== 'active' && event.type !== 'xstate.stop') return theirs.transition.call(logic, snapshot, event, scope);
      return take(snapshot, event, scope).snapshot;
    },
    restoreSnapshot(persisted: Snapshot<unknown>, scope: AnyActorScope): AnyMachineSnapshot {
      return snapshots.inDocumentOrder(theirs.restoreSnapshot.call(logic, persisted, scope));
    },
  };
  const hidden = {
    microstep(snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): AnyMachineSnapshot[] {
      return take(snapshot, event, scope).microsteps;
    },
    resolveState(config: never): AnyMachineSnapshot {
      return snapshots.inDocumentOrder(theirs.resolveState.call(logic, config));
    },
    provide(implementations: never): T {
      // Views provide on every render and seldom run what they get; its structure is known to be good.
      const provided = theirs.provide.call(logic, implementations) as T;
      let chart: Chart | undefined;
      return logicOf(provided, () => (chart ??= new Chart(provided)));
    },
  };
  // A machine carries the methods of an actor logic itself, for those who spread it, and has the others from its class.
  for (const [name, value] of Object.entries(hidden)) Object.defineProperty(logic, name, { value, configurable: true, writable: true });
  logics.add(logic);
  return Object.assign(logic, own);
}

interface Ran {
  readonly snapshot: AnyMachineSnapshot;
  readonly microsteps: AnyMachineSnapshot[];
}

function withContext(logic: AnyStateMachine, snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): AnyMachineSnapshot {
  const { context } = logic.config;
  if (typeof context !== 'function') return snapshot;
  return runActions([contextAction(context)], snapshot, {
    scope,
    event,
    internalQueue: [],
    deferredActorIds: undefined,
    retries: undefined,
  });
}

interface MachineMethods {
  transition(this: AnyStateMachine, snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): AnyMachineSnapshot;
  restoreSnapshot(this: AnyStateMachine, persisted: Snapshot<unknown>, scope: AnyActorScope): AnyMachineSnapshot;
  resolveState(this: AnyStateMachine, config: never): AnyMachineSnapshot;
  provide(this: AnyStateMachine, implementations: never): AnyStateMachine;
}

function machineMethods(machine: AnyStateMachine): MachineMethods {
  return Object.getPrototypeOf(machine) as MachineMethods;
}
