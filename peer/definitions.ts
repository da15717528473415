// The machines of a peer as others define them, and as its journal holds them. Beside machines.ts, because only who serves others has either.

import { LockstepError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { decodeBase64 } from './base64.ts';
import type { JournalEntry } from './journal.ts';
import type { Machines } from './machines.ts';
import type { Methods } from './wire.ts';

/**
 * `define` from another peer: a definition in plain JSON, in any dialect, or an image without host functions.
 * @throws LockstepError FORBIDDEN, BAD_PARAMS, MISSING_FUNCTION; as Machines.add.
 */
export function define(machines: Machines, { machine: name, definition: source, image }: Methods['define']['params']): Machine {
  if (machines.known(name)?.isOwn === true)
    throw new LockstepError('FORBIDDEN', `machine "${name}" belongs to the program of this peer and is not replaced from outside`);
  if (source !== undefined) {
    const { image: made, definition } = machines.compiled(source);
    const machine = machines.load(made, definition);
    machines.know(name, { machine, source, definition, isOwn: false });
    return machine;
  }
  const bytes = image === undefined ? undefined : decodeBase64(image);
  if (bytes === undefined) throw new LockstepError('BAD_PARAMS', `define "${name}": expected a definition, or an image in base64`);
  const machine = machines.load(bytes, undefined);
  if (machine.functions === undefined)
    throw new LockstepError('MISSING_FUNCTION', `the image of "${name}" names host functions, and an image cannot bring them`);
  machines.know(name, { machine, source: undefined, definition: undefined, isOwn: false });
  return machine;
}

/** From the journal: what a name meant before, unless the program says otherwise now. */
export function restore(machines: Machines, name: string, bytes: Uint8Array): void {
  if (machines.known(name) !== undefined) return;
  const machine = machines.load(bytes, undefined);
  machines.know(name, { machine, source: undefined, definition: undefined, isOwn: false, isRestored: true });
}

/** What the journal must hold so that `name` means the same after a restart. */
export function entriesOf(machines: Machines, name: string): readonly JournalEntry[] {
  const { hash, bytes } = machines.get(name);
  return [
    { kind: 'image', hash, bytes },
    { kind: 'machine', machine: name, image: hash },
  ];
}
