// What a core needs beside itself to run images with programs. A page loads it with the first such image: most have none.

import { IMAGE_CONSTANTS, IMAGE_PROGRAMS } from '../assembly/layout.ts';
import { CELL_HANDLE, CELL_SIZE, PROGRAM_LENGTH, PROGRAM_SIZE, TAG_NUMBER, TAG_STRING, TAG_TREE } from '../assembly/program-layout.ts';
import { Cells } from './cells.ts';
import { LockstepError } from './errors.ts';
import type { Json } from './json.ts';
import { plain } from './plain.ts';
import { performProgram } from './program-actions.ts';
import type { Symbols } from './symbols.ts';
import { Values } from './values.ts';
import type { Core } from './wasm.ts';

/** The core runs programs from now on. @returns the same core. */
export function supportPrograms(core: Core): Core {
  if (core.programs !== undefined) return core;
  const values = new Values(core);
  core.programs = {
    values,
    perform: performProgram,
    take: (image, strideBytes, symbols) => {
      const section = (field: number): number => image + core.words[(image + field) >>> 2]!;
      checkHome(core, section(IMAGE_PROGRAMS), symbols);
      const constants = symbols.constants ?? [];
      constants.forEach((constant, number) => keepConstant(core, values, section(IMAGE_CONSTANTS) + number * CELL_SIZE, constant));
      return new Cells(core, values, strideBytes, symbols.cells ?? []);
    },
  };
  return core;
}

/** A context lives in the core or in JavaScript: where one function of a step is a program, all are. Effects run outside of steps. */
function checkHome({ words }: Core, programs: number, { functions, id }: Symbols): void {
  functions.forEach(({ kind, path }, fn) => {
    const isProgram = words[(programs + fn * PROGRAM_SIZE + PROGRAM_LENGTH) >>> 2] !== 0;
    if (isProgram === (kind === 'effect'))
      throw new LockstepError(
        'BAD_IMAGE',
        `machine ${id} has programs, expected ${kind} at ${path} ${isProgram ? 'to be none' : 'to be one'}`,
      );
  });
}

function keepConstant({ words }: Core, values: Values, at: number, constant: Json): void {
  const tag = typeof constant === 'number' ? TAG_NUMBER : typeof constant === 'string' ? TAG_STRING : TAG_TREE;
  if (words[at >>> 2] !== tag || constant === null || typeof constant === 'boolean')
    throw new LockstepError('BAD_IMAGE', 'expected the constants that the programs of the image take, found others');
  if (tag !== TAG_NUMBER) words[(at + CELL_HANDLE) >>> 2] = values.keep(plain(constant, ''));
}
