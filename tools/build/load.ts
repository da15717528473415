// Loads the machines that the modules under a folder export, and the texts of all modules that ran, as they ran: what functions see outside
// themselves is read from those. Vite runs the modules, TypeScript and JSX included; it comes from the project or from us.

import { readdirSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { reasonOf } from '../../server/unreadable.ts';
import { isDefinition } from '../../core/source.ts';
import { runModules } from '../../compiler/vite-modules.ts';
import type { ModulePlace, ModuleText, Resolve } from '../../compiler/lowering/modules.ts';

const MODULE = /\.[mc]?[jt]sx?$/;
const LEFT_OUT = /node_modules|\.d\.[mc]?ts$|\.(test|spec)\.|(^|[\\/])(dist|build)[\\/]/;
/** What a module that defines machines says somewhere. */
const DEFINES = /\b(createMachine|defineMachine)\(|\bdialect\b/;
/** Without that it is a program: it has no machines to give, and is not run. */
const EXPORTS = /\bexports?\b/;

export interface Found {
  /** From the folder. */
  readonly file: string;
  /** The name of the export. */
  readonly name: string;
  readonly machine: unknown;
}

export interface LoadedFolder {
  readonly machines: readonly Found[];
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
  readonly texts: readonly ModuleText[];
  readonly resolve: Resolve;
  /** `file:line` from the folder, as the author wrote it. */
  readonly locate: (place: ModulePlace) => string;
}

export async function loadFolder(folder: string): Promise<LoadedFolder> {
  const modules = await runModules(folder);
  // What the modules say while they run is not our answer.
  const { log } = console;
  console.log = console.error;
  try {
    const machines: Found[] = [];
    const unreadable: { file: string; reason: string }[] = [];
    for (const file of machineModules(folder)) {
      try {
        const exported = await modules.load(path.join(folder, file));
        machines.push(...machinesIn(exported).map(([name, machine]) => ({ file, name, machine })));
      } catch (error) {
        unreadable.push({ file, reason: reasonOf(error) });
      }
    }
    const locate = ({ id, line, column }: ModulePlace): string => {
      const map = modules.map(id);
      const entry = typeof map === 'object' && map !== null && 'sources' in map ? new SourceMap(map as unknown as SourceMapPayload).findEntry(line - 1, column - 1) : {};
      const written = 'originalLine' in entry && typeof entry.originalLine === 'number' ? entry.originalLine + 1 : line;
      return `${path.relative(folder, id)}:${written}`;
    };
    return { machines, unreadable, ...modules.texts(), locate };
  } finally {
    console.log = log;
    await modules.close();
  }
}

function machineModules(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => MODULE.test(name) && !LEFT_OUT.test(name))
    .filter((name) => {
      const text = readFileSync(path.join(folder, name), 'utf8');
      return DEFINES.test(text) && EXPORTS.test(text);
    })
    .sort();
}

/** Exports that are machines, and machines in an export named `machines`; each once. */
function machinesIn(exported: Readonly<Record<string, unknown>>): [string, unknown][] {
  const { machines, ...others } = exported;
  const listed = typeof machines === 'object' && machines !== null ? Object.entries(machines) : [];
  const found = new Map<unknown, string>();
  for (const [name, value] of [...Object.entries(others), ...listed]) if (isDefinition(value) && !found.has(value)) found.set(value, name);
  return [...found].map(([machine, name]) => [name, machine]);
}
