// The relational machines of the simulation: a gate with negotiation, a bell that is rung as an effect and may break, and a panel to which
// what happens at the gate is piped, from one process.

import type { HandlerEvent } from '../../core/handlers.ts';
import { bindMany, sync } from '../../core/relational/pipes.ts';
import type { Mirror } from '../../peer/mirror.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';

/** What opens the lock. */
export const KEY = 42;
/** Of the gate, at the panel. */
export const PIPED = ['Locked', 'Open'];
export const PANEL = 'dora/panel';
/** Milliseconds after which a pipe that lost a mutation brings its target to what is so. */
const AGAIN_MS = 500;

type Args = { readonly id?: string; readonly key?: number; readonly isBad?: boolean } | undefined;

/** @param rung is told of each ring, by the id of the mutation that brought it. */
export function gateOf(rung: (id: string) => void): object {
  return {
    dialect: 'relational',
    id: 'gate',
    states: {
      Bell: { multi: true },
      Closed: { remove: ['Open'], auto: true },
      Lit: { add: ['Bell'] },
      Locked: { require: ['Closed'] },
      Open: { remove: ['Closed'], after: ['Bell'] },
    },
    handlers: {
      LockedEnter: ({ args }: HandlerEvent<unknown, unknown>) => (args as Args)?.key === KEY,
      BellState: ({ args }: HandlerEvent<unknown, unknown>) => {
        const { id = '', isBad = false } = (args as Args) ?? {};
        rung(id);
        if (isBad) throw new Error('the bell is broken');
      },
    },
  };
}

export const panel = { dialect: 'relational', id: 'panel', states: { Locked: {}, Open: {} } };

/** Ticks by the names of its states, as they show. */
export function ticksOf(mirror: Mirror, names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name) => [name, mirror.tick(name)]));
}

/** Lays the pipe, and brings the panel to what the gate has now. @param later waits. */
export function pipe(
  { gate, panel: target }: { readonly gate: Mirror; readonly panel: Mirror },
  later: (ms: number, act: () => void) => void,
): void {
  const [source, end] = [new RelationalMirror(gate), new RelationalMirror(target)];
  let isWaiting = false;
  const failed = (): void => {
    if (isWaiting) return;
    isWaiting = true;
    later(AGAIN_MS, () => {
      isWaiting = false;
      sync(source, end, { states: PIPED, failed });
    });
  };
  bindMany(source, end, { states: PIPED, failed });
  sync(source, end, { states: PIPED, failed });
}
