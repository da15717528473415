// Loads the machines of somebody's modules. Nothing that such a module imports is installed, and its machines are often in the middle of a
// program that starts them: every import but XState's own is a stand-in that takes any call, and an actor that the module itself makes
// is one too. What createMachine is called with while the module runs is collected, exported or not.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import type { AnyStateMachine } from 'xstate';
import type { Plugin, ViteDevServer } from 'vite';
import type { XState } from '../differential/oracle.ts';
import type { Side } from '../xstate/record.ts';

const MODULE = /\.[mc]?[jt]sx?$/;
const LEFT_OUT = /node_modules|\.d\.ts$|\.(test|spec)\.|[\\/](dist|build)[\\/]/;

/** Paths of the modules under a folder that make machines; TypeScript and JSX alike. */
export function machineModules(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => MODULE.test(name) && !LEFT_OUT.test(name))
    .map((name) => path.resolve(folder, name))
    .filter((file) => /\bcreateMachine\(/.test(readFileSync(file, 'utf8')))
    .sort();
}

const MICROSTEP_MAX = 100;
const HOOK = 'lockstepCorpus';
const XSTATE = '\0corpus:xstate';
const STAND_IN = '\0corpus:stand-in:';

/** The Vite plugin that the server for foreign modules needs. */
export function foreign(): Plugin {
  return {
    name: 'corpus',
    enforce: 'pre',
    // Vite would take the XState that a project has installed past us.
    config: () => ({ ssr: { noExternal: true } }),
    resolveId(source, importer) {
      if (importer === undefined || source.startsWith('\0')) return null;
      if (source === 'xstate' || source.startsWith('xstate/')) return XSTATE;
      const isFile = source.startsWith('.') || source.startsWith('/');
      if (isFile && MODULE.test(resolved(source, importer) ?? '')) return resolved(source, importer);
      return `${STAND_IN}${source}\0${importer}`;
    },
    load(id) {
      if (id === XSTATE) return exportsOf(`globalThis.${HOOK}`, Object.keys((globalThis as unknown as Hooked)[HOOK]));
      if (MODULE.test(id) && !id.startsWith('\0')) return javaScriptOf(id);
      if (!id.startsWith(STAND_IN)) return null;
      const [source = '', importer = ''] = id.slice(STAND_IN.length).split('\0');
      return `${STAND_IN_CODE}\n${exportsOf('anything', namesImported(importer, source))}\nexport default anything;`;
    },
  };
}

/** Without a look at the project's own settings, which may extend packages that are not there. */
function javaScriptOf(file: string): string {
  const { ESNext: module } = ts.ModuleKind;
  const compilerOptions = { module, target: ts.ScriptTarget.ES2022, jsx: ts.JsxEmit.React, verbatimModuleSyntax: false };
  return ts.transpileModule(readFileSync(file, 'utf8'), { fileName: file, compilerOptions }).outputText;
}

const STAND_IN_CODE = `const anything = new Proxy(function () {}, {
  get: (_, key) => (key === 'then' ? undefined : key === Symbol.toPrimitive ? () => '' : key === Symbol.iterator ? [][Symbol.iterator] : anything),
  apply: () => anything,
  construct: () => anything,
});`;

const exportsOf = (from: string, names: readonly string[]): string =>
  `const { ${names.map((name) => `${name}: ${name}_`).join(', ')} } = ${from};\nexport { ${names.map((name) => `${name}_ as ${name}`).join(', ')} };`;

function namesImported(importer: string, source: string): string[] {
  const text = readFileSync(importer.replace(/\?.*$/, ''), 'utf8');
  const named = [...text.matchAll(/import\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s*from\s*['"]([^'"]+)['"]/g)];
  const names = named.filter((match) => match[2] === source).flatMap((match) => match[1]!.split(','));
  const plain = names.map((name) => /^\s*(?:type\s+)?([\w$]+)/.exec(name)?.[1]).filter((name) => name !== undefined && name !== 'default');
  return [...new Set(plain as string[])];
}

/** A file beside the importer, its ending left out or not. */
function resolved(source: string, importer: string): string | undefined {
  const base = path.resolve(path.dirname(importer), source);
  const folder = path.dirname(base);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return undefined; // A folder that is not there has no modules.
  }
  const name = path.basename(base);
  const stem = name.replace(/\.[mc]?jsx?$/, '');
  const found =
    names.find((each) => each === name && MODULE.test(each)) ??
    names.find((each) => MODULE.test(each) && each.replace(MODULE, '') === stem);
  if (found !== undefined) return path.join(folder, found);
  return names.includes(name) && source !== '.' ? resolved(`${source}/index`, importer) : undefined;
}

type Hooked = { [HOOK]: object };

export interface Loaded {
  readonly machines: readonly AnyStateMachine[];
  /** Resolvers of what the modules' own asynchronous actors are waiting for. */
  readonly waiting: Waiting[];
  /** What ended the module early, after these machines. */
  readonly error?: unknown;
}

/** A promise actor of a module: it ends when the run says so, not when the module's own code would. */
export interface Waiting {
  readonly signal: AbortSignal;
  settle(isResolved: boolean, value: unknown): void;
}

/** Runs a module with one side's XState. @returns the machines it made, in order. */
export async function load(server: ViteDevServer, file: string, { xstate, wrap }: Side): Promise<Loaded> {
  const machines: AnyStateMachine[] = [];
  const waiting: Waiting[] = [];
  (globalThis as unknown as Hooked)[HOOK] = observed(xstate, waiting, (machine) => {
    // With events that its author did not think of, a machine may never come to rest.
    machine.options = { ...machine.options, maxIterations: MICROSTEP_MAX };
    const wrapped = wrap(machine);
    machines.push(wrapped);
    return wrapped;
  });
  server.moduleGraph.invalidateAll();
  try {
    await Promise.race([server.ssrLoadModule(file), patience()]);
    return { machines, waiting };
  } catch (error) {
    return { machines, waiting, error };
  }
}

/** A program may wait at its end for minutes; its machines are there before. */
const patience = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_500));

type Made = (machine: AnyStateMachine) => AnyStateMachine;

/** XState as a module sees it: it tells of every machine, its actors do not start, and its promises and callbacks wait for the run. */
function observed(xstate: XState, waiting: Waiting[], made: Made): object {
  const withMachines = (setup: SetUp): SetUp => ({
    ...setup,
    createMachine: (config) => made(setup.createMachine(config)),
    extend: (more) => withMachines(setup.extend(more)),
  });
  const inert: unknown = new Proxy(() => undefined, {
    get: (_, key) => (key === 'then' ? undefined : key === Symbol.toPrimitive ? () => '' : inert),
    apply: () => inert,
  });
  return {
    ...xstate,
    createMachine: (...args: Parameters<XState['createMachine']>) => made(xstate.createMachine(...args) as unknown as AnyStateMachine),
    setup: (options: never) => withMachines(xstate.setup(options) as unknown as SetUp),
    createActor: () => inert,
    interpret: () => inert,
    waitFor: () => new Promise(() => undefined),
    toPromise: () => new Promise(() => undefined),
    fromPromise: () =>
      xstate.fromPromise(
        ({ signal }) =>
          new Promise((resolve, reject) => {
            waiting.push({ signal, settle: (isResolved, value) => (isResolved ? resolve(value) : reject(value as Error)) });
          }),
      ),
    fromCallback: () => xstate.fromCallback(() => undefined),
    fromObservable: () => xstate.fromObservable(() => ({ subscribe: () => ({ unsubscribe: () => undefined }) }) as never),
  };
}

interface SetUp {
  createMachine(config: unknown): AnyStateMachine;
  extend(more: unknown): SetUp;
}
