// Sizes: the core as it travels, beside the interpreters of the other libraries, and images beside the text of the definitions they stand for.

import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { compileMachine } from '../../compiler/index.ts';
import { APP34, FLAT1000, TOGGLE, TREE1111, xstateMachine } from '../machines.ts';
import type { Row } from '../measure.ts';
import type { Subject } from '../neutral.ts';

/** Builds for browsers, from the root of the checkout; robot's and the core's own JavaScript are not minified and not counted. */
const BUILDS: readonly (readonly [peer: string, file: string])[] = [
  ['xstate', 'node_modules/xstate/dist/xstate.umd.min.js'],
  ['xstate 6 alpha', 'bench/node_modules/xstate-next/dist/xstate.umd.min.js'],
  ['scion', 'bench/node_modules/@scion-scxml/core/dist/core.min.js'],
  ['robot3', 'bench/node_modules/robot3/dist/machine.js'],
  ['@xstate/fsm', 'bench/node_modules/@xstate/fsm/dist/xstate.fsm.js'],
];

export function bytes(): Row[] {
  const ours = zipped('build/core.wasm');
  const against = BUILDS.filter(([, file]) => existsSync(file)).map(([peer, file]) => [peer, times(zipped(file), ours)] as const);
  return [
    { name: 'core/bytes', unit: 'bytes gzipped', ours, against: Object.fromEntries(against) },
    ...[TOGGLE, APP34, FLAT1000, TREE1111].map(imageRow),
  ];
}

/** The whole image, symbols and debug names included. */
function imageRow(subject: Subject): Row {
  const definition = xstateMachine(subject);
  const ours = gzipSync(compileMachine(definition).bytes, { level: 9 }).length;
  const text = gzipSync(JSON.stringify(definition.config), { level: 9 }).length;
  return {
    name: `core/bytes-${subject.id}`,
    unit: 'bytes of its image, gzipped',
    ours,
    against: { 'its config as text': times(text, ours) },
  };
}

function zipped(file: string): number {
  return gzipSync(readFileSync(file), { level: 9 }).length;
}

function times(value: number, ours: number): { value: number; ratio: number } {
  return { value, ratio: value / ours };
}
