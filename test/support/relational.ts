// Relational machines for tests, on a core of one's choice, at the level of the instance: mutations in, clocks and handlers out.

import { compileMachine, type RelationalConfig, type Schema } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import { mutation, type MutationKind } from '../../core/mutation.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Core } from '../../core/wasm.ts';

export const STAMP = { now: 0, seed: 0, salt: '' };

export interface Rig {
  readonly instance: Instance;
  /** Names of the handlers that were called or recorded, in order; one string per mutation, negotiation | final. */
  readonly log: string[];
  /** @returns whether it was made. */
  mutate(kind: MutationKind, states: string): boolean;
  step(kind: MutationKind, states: string): Outcome;
  active(): string;
  /** Clocks of the states named. */
  ticks(states: string): number[];
}

/** @param answers what negotiation handlers say; those not named say yes. Every possible handler is bound when it is given. */
export function rig(core: Core, states: Schema, answers?: Readonly<Record<string, boolean>>, names?: readonly string[]): Rig {
  const log: string[] = [];
  const config: RelationalConfig = {
    dialect: 'relational',
    id: 'rig',
    states,
    ...(names === undefined ? {} : { names }),
    ...(answers === undefined ? {} : { handlers: everyHandler(Object.keys(states), answers, log) }),
  };
  const image = compileMachine(config);
  const machine = Machine.load(core, image.bytes, bind(image.symbols, config));
  const instance = Instance.create(machine);
  instance.start(undefined, STAMP);
  const step = (kind: MutationKind, called: string): Outcome => {
    log.length = 0;
    const outcome = instance.step(mutation(kind, namesIn(called)), STAMP);
    log.push('|', ...outcome.effects.map(({ name }) => name.slice(name.lastIndexOf('/') + 1)));
    return outcome;
  };
  return {
    instance,
    log,
    step,
    mutate: (kind, called) => step(kind, called).taken,
    active: () => instance.snapshot().active.slice(1).join(' '),
    ticks: (asked) => namesIn(asked).map((name) => instance.tick(name)),
  };
}

export function namesIn(text: string): string[] {
  return text.split(/[ ,]+/).filter((name) => name !== '');
}

function everyHandler(names: readonly string[], answers: Readonly<Record<string, boolean>>, log: string[]): Record<string, () => boolean> {
  const all = names.flatMap((name) => [
    ...['Exit', 'Enter', 'End', 'State'].map((ending) => name + ending),
    ...names.map((other) => name + other),
  ]);
  return Object.fromEntries(
    [...all, 'AnyEnter', 'AnyState'].map((name) => [
      name,
      () => {
        log.push(name);
        return answers[name] ?? true;
      },
    ]),
  );
}
