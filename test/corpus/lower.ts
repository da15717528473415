// npm run corpus -- --lower DIR…: how many functions of the machines in the modules under DIR can be lowered, and why the others cannot.

import path from 'node:path';
import * as published from 'xstate';
import type { AnyStateMachine } from 'xstate';
import type { ViteDevServer } from 'vite';
import { compileMachine } from '../../compiler/index.ts';
import type { FunctionReport } from '../../compiler/lowering/lowered.ts';
import { lowerFunctions } from '../../compiler/lowering/machine.ts';
import { Modules, type ModuleText } from '../../compiler/lowering/modules.ts';
import { side } from '../xstate/record.ts';
import { load, machineModules } from './load.ts';

export interface LoweringTally {
  /** Functions that stand in a config, an assign() counted once whatever fields it has. */
  readonly inline: { readonly lowered: number; readonly of: number };
  /** Functions under a name in the implementations, once for each place that names them. */
  readonly named: { readonly lowered: number; readonly of: number };
  readonly machines: { readonly lowered: number; readonly of: number };
  readonly reasons: { readonly [reason: string]: number };
}

export async function lowerCorpus(server: ViteDevServer, folders: readonly string[], say: (line: string) => void): Promise<LoweringTally> {
  const inline = { lowered: 0, of: 0 };
  const named = { lowered: 0, of: 0 };
  const machines = { lowered: 0, of: 0 };
  const reasons = new Map<string, number>();
  for (const file of folders.flatMap(machineModules)) {
    const loaded = await load(
      server,
      file,
      side(published, (machine) => machine),
    );
    const modules = new Modules(textsOf(server), (source) => resolved(server, source));
    for (const machine of loaded.machines) {
      machines.of += 1;
      const name = `${path.relative(process.cwd(), file)} ${machine.id}`;
      const lowering = lower(machine, modules);
      if (typeof lowering === 'string') {
        say(`${name}: refused, ${lowering}`);
        continue;
      }
      const { reports, obstacles } = lowering;
      const places = new Map<string, FunctionReport[]>();
      for (const report of reports) {
        const place = `${report.path} ${report.role}`;
        places.set(place, [...(places.get(place) ?? []), report]);
      }
      for (const functions of places.values()) {
        const count = functions[0]!.name === undefined ? inline : named;
        const hosted = functions.find(isHosted);
        count.of += 1;
        if (hosted === undefined) count.lowered += 1;
        else {
          const { outcome } = hosted;
          reasons.set(kindOf(outcome.reason), (reasons.get(kindOf(outcome.reason)) ?? 0) + 1);
          say(
            `${name} ${hosted.path} ${hosted.role} ${hosted.field ?? ''}: ${outcome.reason}\n    ${outcome.text.replace(/\s+/g, ' ').slice(0, 160)}`,
          );
        }
      }
      const stand = [...reports.filter(({ role }) => role !== 'action').filter(isHosted), ...obstacles];
      if (stand.length === 0) machines.lowered += 1;
      say(`${name}: ${stand.length === 0 ? 'lowered' : 'hosted'}`);
    }
  }
  return { inline, named, machines, reasons: Object.fromEntries([...reasons].sort(([, a], [, b]) => b - a)) };
}

type Hosted = FunctionReport & { readonly outcome: { readonly kind: 'hosted' } };
const isHosted = (report: FunctionReport): report is Hosted => report.outcome.kind === 'hosted';

/** A reason without the names in it. */
const kindOf = (reason: string): string => reason.replace(/'[^']*'/g, '…').replace(/on \{.*/, 'on some input it makes something else');

function lower(machine: AnyStateMachine, modules: Modules): ReturnType<typeof lowerFunctions> | string {
  try {
    return lowerFunctions(compileMachine(machine).symbols, machine, { modules });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The modules that the server has run, as they ran. */
function textsOf(server: ViteDevServer): ModuleText[] {
  return [...server.environments.ssr.moduleGraph.idToModuleMap].flatMap(([id, { transformResult }]) =>
    transformResult == null ? [] : [{ id, text: transformResult.code }],
  );
}

/** A module that ran, or the package that a stand-in stands for. */
function resolved(server: ViteDevServer, source: string): string {
  if (/xstate$/.test(source)) return 'xstate';
  for (const [id, { url }] of server.environments.ssr.moduleGraph.idToModuleMap) {
    if (url === source || `/@fs${id}` === source || id === source) return id;
  }
  return source;
}
