// Contexts that live in the core: the traffic light with its guard and assign as programs, beside the same light with the author's functions
// and beside XState; and the patch of one change in a document of 44 keys, beside libraries that make patches.

import { assign, createMachine } from 'xstate';
import { compile } from '../../compiler/compile.ts';
import { fromXState } from '../../compiler/dialects/xstate5.ts';
import { parseExpression } from '../../compiler/expression/language.ts';
import type { Lowered } from '../../compiler/expression/program.ts';
import type { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import { loadCore } from '../../server/core-file.ts';
import { library } from '../library.ts';
import { load } from '../load.ts';
import { TRAFFIC, xstateMachine } from '../machines.ts';
import { compare, type Contender, type Effort, type Row } from '../measure.ts';
import { xstate5 } from '../peers.ts';
import { started } from './steps.ts';

const COLOURS = ['green', 'yellow', 'red'];

/** Two rows: programs beside XState and beside our own hosted run, and the hosted run beside XState. */
export async function lowered(effort: Effort): Promise<Row[]> {
  const functions = new Map<string, Lowered>(
    COLOURS.flatMap((colour): [string, Lowered][] => [
      [`/states/${colour}/on/TIMER/guard`, { expression: parseExpression('context.cycles < context.limit') }],
      [`/states/${colour}/on/TIMER/actions`, { expression: parseExpression('{ cycles: context.cycles + 1 }') }],
    ]),
  );
  const definition = xstateMachine(TRAFFIC);
  const own = started(await loweredMachine(definition, functions));
  const hosted = started(await load(definition));
  const theirs = xstate5(TRAFFIC);
  const runs = [advancing('lockstep', own), advancing('lockstep, hosted', hosted)] as const;
  for (const run of [...runs, theirs]) run.run(100);
  if (JSON.stringify(own.snapshot()) !== JSON.stringify(hosted.snapshot())) throw new Error('the lowered light runs another chart');
  return [compare('core/lowered', runs[0], [theirs, runs[1]], effort), compare('core/lowered, hosted', runs[1], [theirs], effort)];
}

async function loweredMachine(definition: ReturnType<typeof xstateMachine>, functions: ReadonlyMap<string, Lowered>): Promise<Machine> {
  const image = compile(fromXState(definition), { lowered: functions });
  if (!image.isLowered) throw new Error(`not lowered: ${JSON.stringify(image.obstacles)}`);
  return Machine.load(await loadCore(), image.bytes);
}

function advancing(name: string, instance: Instance): Contender {
  const event = TRAFFIC.events[0]!;
  const number = instance.machine.eventNumber(event.type);
  return {
    name,
    run(operations) {
      for (let i = 0; i < operations; i++) instance.advance(number, event);
    },
  };
}

// ── One change in a document of 44 keys, and its patch ───────────────────────────────────────────────────────────────

type Document = Record<string, number | { readonly name: string; readonly tags: readonly string[] }>;
interface Draft {
  [key: string]: number;
}
interface Immer {
  enablePatches(): void;
  produceWithPatches(base: Document, recipe: (draft: Draft) => void): readonly [Document, unknown[]];
}
interface Mutative {
  create(base: Document, recipe: (draft: Draft) => void, options: { enablePatches: true }): readonly [Document, unknown[]];
}
interface JsonPatch {
  compare(before: Document, after: Document): unknown[];
}

const KEYS = 44;
const CHANGED = 'key20';

function document44(): Document {
  return Object.fromEntries(
    Array.from({ length: KEYS }, (_, i) => [`key${i}`, i % 4 === 3 ? { name: `name ${i}`, tags: ['one', 'two', 'three'] } : i]),
  );
}

/** Ours counts the event that makes the change; of fast-json-patch only the comparison is counted. */
export async function patch44(effort: Effort): Promise<Row[]> {
  const definition = createMachine({
    id: 'document',
    context: document44(),
    initial: 'open',
    states: { open: { on: { SET: { actions: assign({}) } } } },
  } as never) as ReturnType<typeof xstateMachine>;
  const functions = new Map([['/states/open/on/SET/actions', { expression: parseExpression(`{ ${CHANGED}: context.${CHANGED} + 1 }`) }]]);
  const instance = started(await loweredMachine(definition, functions));
  const event = { type: 'SET' };
  const number = instance.machine.eventNumber('SET');
  const first = JSON.stringify(instance.change(number, event));
  if (first !== `[{"op":"replace","path":"/${CHANGED}","value":21}]`) throw new Error(`another patch: ${first}`);
  const own: Contender = {
    name: 'lockstep',
    run(operations) {
      for (let i = 0; i < operations; i++) instance.change(number, event);
    },
  };
  const peers = [comparing(), immer(), mutative()].filter((peer) => peer !== undefined);
  return [compare('core/patch44', own, peers, effort, 'changes with their patch per CPU second')];
}

function comparing(): Contender | undefined {
  const its = library<JsonPatch>('fast-json-patch');
  if (its === undefined) return undefined;
  const before = document44();
  const after = { ...structuredClone(before), [CHANGED]: 21 };
  return {
    name: 'fast-json-patch',
    run(operations) {
      for (let i = 0; i < operations; i++) its.compare(before, after);
    },
  };
}

const increment = (draft: Draft): void => {
  draft[CHANGED]! += 1;
};

function immer(): Contender | undefined {
  const its = library<Immer>('immer');
  if (its === undefined) return undefined;
  its.enablePatches();
  let document = document44();
  return {
    name: 'immer',
    run(operations) {
      for (let i = 0; i < operations; i++) [document] = its.produceWithPatches(document, increment);
    },
  };
}

function mutative(): Contender | undefined {
  const its = library<Mutative>('mutative');
  if (its === undefined) return undefined;
  let document = document44();
  return {
    name: 'mutative',
    run(operations) {
      for (let i = 0; i < operations; i++) [document] = its.create(document, increment, { enablePatches: true });
    },
  };
}
