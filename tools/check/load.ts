// What `lockstep check FILE` finds in a file: the machines that a module exports, or the one that a JSON file is. JSON has no functions, so
// the names in it get stand-ins: `check` never calls them.

import { isFields, type Fields } from '../../core/fields.ts';
import { referenceName } from '../../core/source.ts';
import { isMachineJson } from '../../compiler/dialects/xstate6.ts';
import type { Modules } from '../../compiler/index.ts';
import { loadProgram, readJsonMachine } from '../../server/program.ts';
import { gatherModules } from '../../server/texts.ts';
import { positionOf } from './position.ts';

export interface Subject {
  readonly machine: unknown;
  /** The texts of the modules that it comes from. */
  readonly modules?: Modules;
  /** Line and column of a JSON pointer in the file, where that can be known. */
  readonly locate: (path: string) => string | undefined;
}

const NOWHERE = (): undefined => undefined;

/** @throws LockstepError BAD_DEFINITION with the file and what was found in it. */
export async function loadSubjects(file: string): Promise<Subject[]> {
  if (file.endsWith('.json')) return [await loadJson(file)];
  const { machines, outside } = await loadProgram(file);
  const modules = gatherModules(outside === undefined ? [] : [outside]);
  // One that is exported by its name and as the default is one machine.
  return [...new Set(Object.values(machines))].map((machine) => ({ machine, modules, locate: NOWHERE }));
}

async function loadJson(file: string): Promise<Subject> {
  const { text, config } = await readJsonMachine(file);
  return { machine: withStandIns(config), locate: (path) => positionOf(text, path) };
}

/** XState's names for what a JSON config only names. */
function withStandIns(config: Fields): unknown {
  const isWithSlots = isMachineJson(config);
  // Definitions in other dialects carry all they mean.
  if (Array.isArray(config.states) || isFields(config.config) || (config.dialect !== undefined && !isWithSlots)) return config;
  const names = { guards: new Set<string>(), delays: new Set<string>(), actors: new Set<string>() };
  collect(config, names);
  const standIns = (set: ReadonlySet<string>, make: () => unknown): Fields => Object.fromEntries([...set].map((name) => [name, make()]));
  const implementations = {
    guards: standIns(names.guards, () => () => false),
    delays: standIns(names.delays, () => () => 0),
    actors: standIns(names.actors, () => ({})),
    actions: {},
  };
  return isWithSlots ? { ...config, sources: implementations } : { config, implementations };
}

interface Names {
  readonly guards: Set<string>;
  readonly delays: Set<string>;
  readonly actors: Set<string>;
}

function collect(value: unknown, names: Names): void {
  if (Array.isArray(value)) for (const item of value) collect(item, names);
  if (!isFields(value)) return;
  const guard = referenceName(value.guard);
  if (guard !== undefined) names.guards.add(guard);
  if (isFields(value.after)) for (const key of Object.keys(value.after)) if (Number.isNaN(Number(key))) names.delays.add(key);
  if (typeof value.src === 'string') names.actors.add(value.src);
  for (const [key, item] of Object.entries(value)) if (key !== 'context' && key !== 'meta') collect(item, names);
}
