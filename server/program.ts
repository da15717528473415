// What a server runs, as a module says it: machines by name, instances that are there from the start, and code that takes part.

import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runModules } from '../compiler/vite-modules.ts';
import { LockstepError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { describe, type Fields, isFields } from '../core/fields.ts';
import { isDefinition } from '../core/source.ts';
import type { Policy } from '../peer/policy.ts';
import { readMachine, readPolicy } from './guarded.ts';
import type { Server } from './index.ts';
import { readTexts, type ModuleTexts } from './texts.ts';
import { reasonOf, unreadable } from './unreadable.ts';

export interface Program {
  /** What `createMachine` returns, or its config; or with who may see and do what, as `serve` takes it. */
  readonly machines: Readonly<Record<string, unknown>>;
  /** The texts of its modules: what functions of its machines see outside themselves. */
  readonly outside?: ModuleTexts;
  /** By instance name; created when the server first starts with them. */
  readonly instances?: Readonly<Record<string, { readonly machine: string; readonly input?: Json }>>;
  /** Called when the instances are there. @returns what ends its part, if anything does. */
  readonly start?: (server: Server) => Promise<(() => void) | undefined>;
}

/**
 * Loads the file that a user names: JSON with one machine, which is called by its id or else as the file, or a module. That exports `machines` (and perhaps `instances` and `start`), or the machines themselves: each
 * under the name of its export, a default export under its id. What it exports as `allowRead`, `allowWrite`, `allowDelete` and `views` is for
 * each of its machines that brings none of its own.
 * @throws LockstepError BAD_DEFINITION with the file and what was found in it.
 */
export async function loadProgram(file: string): Promise<Program> {
  if (file.endsWith('.json')) {
    const { config } = await readJsonMachine(file);
    return { machines: { [typeof config.id === 'string' ? config.id : basename(file, '.json')]: config } };
  }
  const { exported, ...outside } = await loadModule(file);
  const { machines = namedMachines(file, exported) } = exported;
  // A machine may have one of these names.
  const [instances, start] = [exported['instances'], exported['start']].map((each) => (isDefinition(each) ? undefined : each));
  const policy = readPolicy(file, exported);
  if (!isFields(machines))
    throw new LockstepError('BAD_DEFINITION', `${file}: "machines" is an object of machines by name, found ${typeof machines}`);
  if (start !== undefined && typeof start !== 'function')
    throw new LockstepError('BAD_DEFINITION', `${file}: "start" is a function, found ${typeof start}`);
  return {
    machines: guarded(machines, policy),
    outside,
    ...(instances === undefined ? {} : { instances: readInstances(file, instances) }),
    ...(start === undefined ? {} : { start: start as NonNullable<Program['start']> }),
  };
}

/** The machine in a JSON file. @throws LockstepError BAD_DEFINITION with the file and what was found in it. */
export async function readJsonMachine(file: string): Promise<{ readonly text: string; readonly config: Fields }> {
  let text: string;
  let config: unknown;
  try {
    text = await readFile(file, 'utf8');
    config = JSON.parse(text);
  } catch (error) {
    throw new LockstepError('BAD_DEFINITION', `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  if (!isFields(config))
    throw new LockstepError('BAD_DEFINITION', `${file} holds no machine: expected an object, found ${describe(config)}`);
  return { text, config };
}

interface Loaded extends ModuleTexts {
  readonly exported: Readonly<Record<string, unknown>>;
}

async function loadModule(file: string): Promise<Loaded> {
  const place = resolve(file);
  try {
    const exported = (await import(/* @vite-ignore */ pathToFileURL(place).href)) as Readonly<Record<string, unknown>>;
    return { exported, ...(await readTexts(place)) };
  } catch (error) {
    if (isTypeScript(error)) return loadTypeScript(file, place);
    throw await unreadable(file, place, error);
  }
}

/** Node before 22.18 does not run TypeScript by itself; the Vite of the project does. */
async function loadTypeScript(file: string, place: string): Promise<Loaded> {
  const modules = await runModules(dirname(place)).catch((error: unknown) => {
    const way = 'install vite beside lockstep, use Node 22.18 or newer, or name a JavaScript file';
    throw new LockstepError('BAD_DEFINITION', `${file} is TypeScript, which this Node does not run by itself: ${way}`, { cause: error });
  });
  try {
    return { exported: await modules.load(place), ...modules.texts() };
  } catch (error) {
    throw await unreadable(file, place, error);
  } finally {
    await modules.close();
  }
}

/** What Node says of TypeScript: of all of it, or of what is more than types. */
const NOT_BY_NODE: ReadonlySet<unknown> = new Set(['ERR_UNKNOWN_FILE_EXTENSION', 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX']);

function isTypeScript(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NOT_BY_NODE.has(error.code);
}

/** Creates what is not there yet, then lets each program take part. @returns what ends their parts. */
export async function startPrograms(server: Server, programs: readonly Program[]): Promise<() => void> {
  const endings: (() => void)[] = [];
  for (const program of programs) {
    for (const [instance, { machine, input }] of Object.entries(program.instances ?? {})) await server.create(machine, instance, input);
    const end = await program.start?.(server);
    if (typeof end === 'function') endings.push(end);
  }
  return () => {
    for (const end of endings) end();
  };
}

function namedMachines(file: string, exported: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const machines: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(exported)) {
    if (!isDefinition(value)) continue;
    machines[name === 'default' && typeof value.id === 'string' ? value.id : name] = value;
  }
  if (Object.keys(machines).length === 0) {
    const found = Object.keys(exported).join(', ') || 'nothing';
    const expected = 'expected what createMachine or defineMachine returns, or "machines": an object of machines or their configs by name';
    throw new LockstepError('BAD_DEFINITION', `${file} exports no machine; ${expected}, found ${found}`);
  }
  return machines;
}

function guarded(machines: Program['machines'], policy: Policy | undefined): Program['machines'] {
  if (policy === undefined) return machines;
  return Object.fromEntries(
    Object.entries(machines).map(([name, given]) => {
      const { machine, policy: own = policy } = readMachine(name, given);
      return [name, { machine, ...own }];
    }),
  );
}

function readInstances(file: string, instances: unknown): NonNullable<Program['instances']> {
  if (!isFields(instances))
    throw new LockstepError('BAD_DEFINITION', `${file}: "instances" is an object by instance name, found ${typeof instances}`);
  return Object.fromEntries(
    Object.entries(instances).map(([name, value]) => {
      // A bare text is the machine's name.
      const { machine, input } = isFields(value) ? value : { machine: value, input: undefined };
      if (typeof machine !== 'string')
        throw new LockstepError('BAD_DEFINITION', `${file}: instance "${name}" names its machine, found ${JSON.stringify(machine)}`);
      return [name, input === undefined ? { machine } : { machine, input: input as Json }];
    }),
  );
}
