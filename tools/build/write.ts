// The images of a folder's machines as files: the bytes, a module that holds them with its declarations, and a list of all of them. The
// same machines give the same files.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { IMAGE_MODULE_TYPES, imageModule } from '../../compiler/image-module.ts';
import { compileMachine, type Image } from '../../compiler/index.ts';
import { Modules } from '../../compiler/lowering/modules.ts';
import { LockstepError } from '../../core/errors.ts';
import type { LoadedFolder } from './load.ts';

export interface Built {
  /** From the folder that was built. */
  readonly file: string;
  readonly export: string;
  readonly id: string;
  readonly home: 'lowered' | 'hosted';
  /** 16 hex digits. */
  readonly image: string;
  readonly sizeBytes: number;
  /** From the folder that was written to. */
  readonly module: string;
}

export interface BuildReport {
  readonly machines: readonly Built[];
  readonly failed: readonly { readonly file: string; readonly export?: string; readonly reason: string }[];
}

/** The list of what was written, in the folder that is written to. */
export const LIST = 'images.json';

/** @throws LockstepError STORAGE when `out` cannot be written. */
export function writeImages({ machines, unreadable, texts, resolve }: LoadedFolder, out: string): BuildReport {
  const modules = new Modules(texts, resolve);
  const built: Built[] = [];
  const failed: BuildReport['failed'][number][] = [...unreadable];
  for (const { file, name, machine } of machines) {
    let image: Image;
    try {
      image = compileMachine(machine, { lower: { modules } });
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      failed.push({ file, export: name, reason: error.message });
      continue;
    }
    const module = write(image, { out, place: placeOf(file, name) });
    const home = image.isLowered || image.symbols.functions.length === 0 ? 'lowered' : 'hosted';
    built.push({ file, export: name, id: image.symbols.id, home, image: image.hash, sizeBytes: image.bytes.length, module });
  }
  writeFiles(out, { [LIST]: `${JSON.stringify(built, null, 2)}\n` });
  return { machines: built, failed };
}

/** `dir/door.machine.ts`, export `door`: `dir/door.machine.door`; a default export has no name of its own. */
function placeOf(file: string, name: string): string {
  const bare = file.replace(/\.[^./\\]+$/, '');
  return name === 'default' ? bare : `${bare}.${name}`;
}

/** @returns the module, from `out`. */
function write(image: { readonly bytes: Uint8Array; readonly hash: string }, { out, place }: { out: string; place: string }): string {
  writeFiles(out, {
    [`${place}.image`]: image.bytes,
    [`${place}.image.js`]: imageModule(image),
    [`${place}.image.d.ts`]: IMAGE_MODULE_TYPES,
  });
  return `${place}.image.js`;
}

/** @param files by their paths in `out`, which is made when it is not there. @throws LockstepError STORAGE */
function writeFiles(out: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  try {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(out, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  } catch (error) {
    throw new LockstepError('STORAGE', `${out} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

export function reportText({ machines, failed }: BuildReport, out: string): string {
  const lines = [
    ...machines.map((each) => `${each.file} ${each.export} (${each.id}): ${each.home}, ${each.sizeBytes} bytes, ${each.image}, ${each.module}`),
    ...failed.map((each) => `${each.file}${each.export === undefined ? '' : ` ${each.export}`}: ${each.reason}`),
    `${machines.length} ${machines.length === 1 ? 'image' : 'images'} in ${out}`,
  ];
  return `${lines.join('\n')}\n`;
}
