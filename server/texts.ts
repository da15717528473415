// The texts of a program's modules as Node runs them: a file and what it imports from beside it, and from beside that. What functions see
// outside themselves is read from them.

import { readFile } from 'node:fs/promises';
import * as node from 'node:module';
import { dirname, resolve as resolvePath } from 'node:path';
import { Modules, type ModuleText, type Resolve } from '../compiler/index.ts';
import { parseModule } from '../compiler/lowering/syntax.ts';

export interface ModuleTexts {
  readonly texts: readonly ModuleText[];
  readonly resolve: Resolve;
}

/** Takes the types out of TypeScript, so that everything else stands where it stood. @throws SyntaxError when there is more than types. */
export type Strip = (text: string) => string;

/** Node's own, with which it also runs such modules; where it has none, it does not run them. */
const strip = (node as { readonly stripTypeScriptTypes?: Strip }).stripTypeScriptTypes;
const TYPESCRIPT = /\.[mc]?ts$/;

/** Modules of one program that are read; what lies behind more is not known. */
const MODULES_MAX = 1_000;

const resolve: Resolve = (source, importer) => (/^\.{1,2}\//.test(source) ? resolvePath(dirname(importer), source) : source);

/**
 * @param file the module where it begins. What cannot be read is left out: nothing is known of it then.
 * @param stripTypes as the Node does that runs the modules.
 */
export async function readTexts(file: string, stripTypes: Strip | undefined = strip): Promise<ModuleTexts> {
  const texts = new Map<string, ModuleText>();
  const open = [file];
  for (let next = open.pop(); next !== undefined && texts.size < MODULES_MAX; next = open.pop()) {
    if (texts.has(next)) continue;
    const written = await readFile(next, 'utf8').catch(() => undefined);
    const text = written !== undefined && TYPESCRIPT.test(next) ? stripped(written, stripTypes) : written;
    if (text === undefined) continue;
    texts.set(next, { id: next, text });
    for (const source of importsOf(text)) if (source.startsWith('.')) open.push(resolve(source, next));
  }
  return { texts: [...texts.values()], resolve };
}

function stripped(text: string, stripTypes: Strip | undefined): string | undefined {
  try {
    return stripTypes?.(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function importsOf(text: string): readonly string[] {
  return (parseModule(text)?.body ?? []).flatMap((statement) =>
    'source' in statement && statement.source != null ? [String(statement.source.value)] : [],
  );
}

/** All of them together. */
export function gatherModules(programs: readonly ModuleTexts[]): Modules {
  const texts = new Map(programs.flatMap((program) => program.texts.map((each) => [each.id, each] as const)));
  return new Modules([...texts.values()], (source, importer) => {
    const found = programs.map((program) => program.resolve(source, importer)).find((id) => texts.has(id));
    return found ?? source;
  });
}
