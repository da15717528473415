// npm run corpus -- DIR…: every machine in the modules under DIR is compiled, and stepped beside XState corrected to document order.

import path from 'node:path';
import * as published from 'xstate';
import type { ViteDevServer } from 'vite';
import { lockstep } from '../../compiler/xstate/index.ts';
import { compileMachine } from '../../compiler/index.ts';
import { corrected, side } from '../xstate/record.ts';
import { compare } from './compare.ts';
import { load, machineModules } from './load.ts';

export { foreign } from './load.ts';

export interface Tally {
  readonly compiled: number;
  readonly agreed: number;
  readonly of: number;
}

/** @param server a Vite server with the plugin `foreign`. @param say takes one line for each machine. */
export async function corpus(server: ViteDevServer, folders: readonly string[], seed: number, say: (line: string) => void): Promise<Tally> {
  const tally = { compiled: 0, agreed: 0, of: 0 };
  for (const file of folders.flatMap(machineModules)) {
    const name = path.relative(process.cwd(), file);
    const theirs = side(await corrected(), (machine) => machine);
    // What lockstep refuses is counted, and still shown to its own module as it is.
    const refusals = new Map<object, unknown>();
    const ours = side(published, (machine) => {
      try {
        return lockstep(machine);
      } catch (error) {
        refusals.set(machine, error);
        return machine;
      }
    });
    const one = await load(server, file, theirs);
    const other = await load(server, file, ours);
    if (one.machines.length === 0) say(`${name}: no machine${one.error === undefined ? '' : `, ${String(one.error)}`}`);
    for (const [index, machine] of other.machines.entries()) {
      tally.of += 1;
      const refusal = refusals.get(machine);
      if (refusal !== undefined) {
        say(`${name} ${machine.id}: refused, ${String(refusal)}`);
        continue;
      }
      tally.compiled += 1;
      try {
        const players = [
          { side: theirs, loaded: one, machine: one.machines[index]! },
          { side: ours, loaded: other, machine },
        ] as const;
        const events = await compare(players, file, seed);
        tally.agreed += 1;
        say(`${name} ${machine.id}: agreed on ${events} events${forReplicas(machine)}`);
      } catch (error) {
        say(`${name} ${machine.id}: differs, ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  }
  return tally;
}

/** Why a server could not run it for replicas, who ask for more. */
function forReplicas(machine: unknown): string {
  try {
    compileMachine(machine);
    return '';
  } catch (error) {
    return `; for replicas refused: ${error instanceof Error ? error.message : String(error)}`;
  }
}
