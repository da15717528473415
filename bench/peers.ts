// The libraries beside which the core is measured, each running a neutral chart in its own way: from an event object that was made before to
// the library's new state. They are installed in bench/node_modules and found at run time; one that is missing is left out.

import { createActor } from 'xstate';
import { library } from './library.ts';
import { xstateMachine } from './machines.ts';
import type { Contender } from './measure.ts';
import { branch, isFlat, isParallel, leaves, targetPath, type Chart, type Context, type Subject } from './neutral.ts';

export interface Runner extends Contender {
  /** The active leaves, to be compared between libraries. */
  at(): readonly string[];
}

/** All that can run the subject. */
export function peers(subject: Subject): Runner[] {
  const hierarchical = [xstate5(subject), xstate6(subject), scion(subject)];
  const flat = isFlat(subject) ? [robot(subject), xstateFsm(subject), xstate6Fsm(subject)] : [];
  return [...hierarchical, ...flat].filter((runner) => runner !== undefined);
}

/** Sends the events of the subject's rounds, one after another. */
function rounds({ events }: Subject, send: (event: { readonly type: string }) => void): Contender['run'] {
  let next = 0;
  return (operations) => {
    for (let i = 0; i < operations; i++) {
      send(events[next]!);
      if (++next === events.length) next = 0;
    }
  };
}

export function xstate5(subject: Subject): Runner {
  const actor = createActor(xstateMachine(subject)).start();
  return {
    name: 'xstate',
    run: rounds(subject, (event) => actor.send(event)),
    at: () => leaves((actor.getSnapshot() as { value: unknown }).value),
  };
}

// ── XState 6, alpha ──────────────────────────────────────────────────────────────────────────────────────────────

interface XState6 {
  createMachine(config: object): unknown;
  createActor(machine: unknown): { start(): { send(event: object): void; getSnapshot(): { value: unknown } } };
}

/** Transitions with a guard or an assignment are functions there. */
export function xstate6(subject: Subject): Runner | undefined {
  const its = library<XState6>('xstate-next');
  if (its === undefined) return undefined;
  const node = (chart: Chart, path: readonly string[]): object => ({
    ...(isParallel(chart) ? { type: 'parallel' } : chart.initial === undefined ? {} : { initial: chart.initial }),
    ...(chart.states === undefined ? {} : { states: mapValues(chart.states, (child, key) => node(child, [...path, key])) }),
    on: mapValues(chart.on ?? {}, (to) => {
      const { target: name, guard, assign } = branch(to);
      const target = name.startsWith('#') ? `#${subject.id}.${targetPath(path, name)}` : name;
      if (guard === undefined && assign === undefined) return { target };
      return ({ context }: { context: Context }) => {
        if (guard !== undefined && !guard(context)) return undefined;
        return assign === undefined ? { target } : { target, context: { ...context, ...assign(context) } };
      };
    }),
  });
  const machine = its.createMachine({ id: subject.id, context: subject.context, ...node(subject.chart, []) });
  const actor = its.createActor(machine).start();
  return { name: 'xstate 6 alpha', run: rounds(subject, (event) => actor.send(event)), at: () => leaves(actor.getSnapshot().value) };
}

interface Fsm<S> {
  readonly initialState: S;
  transition(state: S, event: object): S;
}

/** The table of flat states that comes with it: a pure function. */
export function xstate6Fsm(subject: Subject): Runner | undefined {
  const its = library<{ createFSM(config: object): Fsm<{ readonly value: string }> }>('xstate-next/fsm');
  if (its === undefined) return undefined;
  const states = mapValues(subject.chart.states ?? {}, ({ on }) => ({
    on: mapValues(on ?? {}, (to) => {
      const { target, guard, assign } = branch(to);
      if (guard === undefined && assign === undefined) return target;
      return ({ context }: { context: Context }) => {
        if (guard !== undefined && !guard(context)) return undefined;
        return assign === undefined ? { target } : { target, context: assign(context) };
      };
    }),
  }));
  const machine = its.createFSM({ initial: subject.chart.initial, context: subject.context, states });
  let state = machine.initialState;
  return {
    name: 'xstate 6 fsm',
    run: rounds(subject, (event) => {
      state = machine.transition(state, event);
    }),
    at: () => [state.value],
  };
}

// ── SCION, robot, @xstate/fsm ────────────────────────────────────────────────────────────────────────────────────

interface Scion {
  Statechart: new (model: object) => { start(): void; gen(event: object): void; getConfiguration(): string[] };
}

/** Its data model is whatever its functions close over. */
export function scion(subject: Subject): Runner | undefined {
  const its = library<Scion>('@scion-scxml/core');
  if (its === undefined) return undefined;
  const context: Record<string, unknown> = { ...subject.context };
  const node = (chart: Chart, path: readonly string[]): object => ({
    id: path.join('.'),
    ...(isParallel(chart) ? { $type: 'parallel' } : {}),
    ...(chart.initial === undefined ? {} : { initial: [...path, chart.initial].join('.') }),
    ...(chart.states === undefined ? {} : { states: Object.entries(chart.states).map(([key, child]) => node(child, [...path, key])) }),
    transitions: Object.entries(chart.on ?? {}).map(([event, to]) => {
      const { target, guard, assign } = branch(to);
      return {
        event,
        target: targetPath(path, target),
        ...(guard === undefined ? {} : { cond: () => guard(context) }),
        ...(assign === undefined ? {} : { onTransition: () => void Object.assign(context, assign(context)) }),
      };
    }),
  });
  const root = node(subject.chart, []);
  // The document itself is no parallel state.
  const chart = new its.Statechart(isParallel(subject.chart) ? { states: [{ ...root, id: '(root)' }] } : root);
  chart.start();
  const events = subject.events.map(({ type }) => ({ name: type }));
  return {
    name: 'scion',
    run: rounds({ ...subject, events: events as never }, (event) => chart.gen(event)),
    at: () => chart.getConfiguration().sort(),
  };
}

interface Robot {
  createMachine(initial: string, states: object, context: () => Context): object;
  state(...transitions: object[]): object;
  transition(event: string, target: string, ...rest: object[]): object;
  guard(decide: (context: Context) => boolean): object;
  reduce(change: (context: Context) => Context): object;
  interpret(machine: object, onChange: () => void): { send(event: object): void; readonly machine: { readonly current: string } };
}

export function robot(subject: Subject): Runner | undefined {
  const its = library<Robot>('robot3');
  if (its === undefined) return undefined;
  const states = mapValues(subject.chart.states ?? {}, ({ on }) =>
    its.state(
      ...Object.entries(on ?? {}).map(([event, to]) => {
        const { target, guard, assign } = branch(to);
        return its.transition(
          event,
          target,
          ...(guard === undefined ? [] : [its.guard(guard)]),
          ...(assign === undefined ? [] : [its.reduce((context) => ({ ...context, ...assign(context) }))]),
        );
      }),
    ),
  );
  const service = its.interpret(
    its.createMachine(subject.chart.initial!, states, () => subject.context),
    () => undefined,
  );
  return { name: 'robot3', run: rounds(subject, (event) => service.send(event)), at: () => [service.machine.current] };
}

interface OldFsm {
  createMachine(config: object): Fsm<{ readonly value: string }>;
  assign(change: (context: Context) => Context): object;
}

function xstateFsm(subject: Subject): Runner | undefined {
  const its = library<OldFsm>('@xstate/fsm');
  if (its === undefined) return undefined;
  const states = mapValues(subject.chart.states ?? {}, ({ on }) => ({
    on: mapValues(on ?? {}, (to) => {
      const { target, guard, assign } = branch(to);
      return {
        target,
        ...(guard === undefined ? {} : { cond: guard }),
        ...(assign === undefined ? {} : { actions: [its.assign((context) => ({ ...context, ...assign(context) }))] }),
      };
    }),
  }));
  const machine = its.createMachine({ id: subject.id, initial: subject.chart.initial, context: subject.context, states });
  let state = machine.initialState;
  return {
    name: '@xstate/fsm',
    run: rounds(subject, (event) => {
      state = machine.transition(state, event);
    }),
    at: () => [state.value],
  };
}

function mapValues<A, B>(from: Readonly<Record<string, A>>, make: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, make(value, key)]));
}
