// The cases of @scion-scxml/test-framework: SCION's own and the W3C's, as documents with scripts of events and expected configurations. They
// are read from node_modules; nothing of them is part of this project.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

export interface Script {
  /** The ids of the active atomic and final states. */
  readonly initialConfiguration: readonly string[];
  readonly events: readonly {
    /** Milliseconds since the event before. */
    readonly after?: number;
    readonly event: { readonly name: string; readonly data?: unknown };
    readonly nextConfiguration: readonly string[];
  }[];
}

export interface Case {
  /** Folder and file, without the ending. */
  readonly name: string;
  readonly group: string;
  readonly isW3c: boolean;
  /** The W3C's manifest calls it mandatory, and automated. */
  readonly isMandatory: boolean;
  readonly document: string;
  readonly script: Script;
  /** The text behind an address of this document. */
  resource(uri: string): string;
}

const W3C = 'w3c-ecma';

/** Every document that has a script, in the order of their names. */
export function readCases(): readonly Case[] {
  const root = join(dirname(createRequire(import.meta.url).resolve('@scion-scxml/test-framework/package.json')), 'test');
  const mandatory = mandatoryTests(join(root, W3C, 'manifest.xml'));
  const scripts = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .map((file) => join(root, file))
    .sort();
  return scripts.map((path) => {
    const document = path.replace(/\.json$/, '.scxml');
    const group = relative(root, dirname(path));
    const name = relative(root, path).replace(/(\.txml)?\.json$/, '');
    // `403a` and its like are parts of one test; `303-1` and its like are SCION's additions.
    const number = /^test(\d+)[a-z]?$/.exec(name.slice(W3C.length + 1))?.[1];
    return {
      name,
      group,
      isW3c: group === W3C,
      isMandatory: group === W3C && number !== undefined && mandatory.has(number),
      document: readFileSync(document, 'utf8'),
      script: JSON.parse(readFileSync(path, 'utf8')) as Script,
      resource: (uri) => readFileSync(join(dirname(path), uri.replace(/^file:/, '')), 'utf8'),
    };
  });
}

function mandatoryTests(manifest: string): ReadonlySet<string> {
  const text = readFileSync(manifest, 'utf8');
  const tests = [...text.matchAll(/<test id="(\d+)" conformance="(\w+)" manual="(\w+)"/g)];
  return new Set(tests.filter(([, , conformance, manual]) => conformance === 'mandatory' && manual === 'false').map(([, id]) => id ?? ''));
}
