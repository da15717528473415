// Builtin actions whose parts are programs: what the program came to is the action with all its parts known, and performing it asks no
// function of the author's. So a mirror that has only the image does the same as the authority: it knows children, timers and raised
// events; whether anybody starts or hears them is the authority's affair.

import { Builtins } from './builtins.ts';
import { LockstepError } from './errors.ts';
import type { ActionOwner, FunctionArguments } from './functions.ts';
import { Guards } from './guards.ts';
import type { Json } from './json.ts';
import type { Acts, ChildStart } from './request.ts';
import { isFields, type Fields } from './fields.ts';

/** Types of what programs make for the actors of a state; those of builtin actions are XState's. */
export const INVOKE = 'lockstep.invoke';
export const STOP = 'lockstep.stop';
const SPAWN = 'xstate.spawnChild';

const IMPLEMENTATIONS = { actions: {}, guards: {}, delays: {}, actors: {} };
const NOBODY: ReadonlySet<string> = new Set();

/**
 * @param path where the action stands. @param value what its program came to.
 * @throws LockstepError as the action of a hosted machine.
 */
export function performProgram(machine: ActionOwner, path: string, value: unknown, args: FunctionArguments, acts: Acts): void {
  if (!isFields(value))
    throw new LockstepError('BAD_IMAGE', `machine ${machine.symbols.id}, ${path}: expected a program that makes an action`);
  switch (value.type) {
    case SPAWN:
    case INVOKE:
      return spawn(machine, path, value, acts);
    case STOP: {
      const id = String(value.id);
      if (acts.hasChild(id)) acts.request({ kind: 'stop', id });
      return;
    }
    default: {
      const invoked = Array.isArray(value.invoked) ? new Set(value.invoked.map(String)) : NOBODY;
      const action = Object.assign(() => undefined, value, { resolve: true });
      builtinsOf(machine).perform(action, { path, invoked }, args, acts);
    }
  }
}

function builtinsOf({ symbols }: ActionOwner): Builtins {
  return new Builtins(symbols.id, { config: {}, implementations: IMPLEMENTATIONS }, new Guards(IMPLEMENTATIONS));
}

function spawn(machine: ActionOwner, path: string, { id, src, input, sync, systemId }: Fields, acts: Acts): void {
  const name = String(src);
  const logic = machine.logicOf(name);
  // Where the author's functions are, so are the actors.
  if (logic === undefined && (machine.functions?.length ?? 0) > 0)
    throw new LockstepError(
      'MISSING_FUNCTION',
      `machine '${machine.symbols.id}', ${path}: Actor logic '${name}' not implemented in machine '${machine.symbols.id}'`,
    );
  const child: ChildStart = {
    id: typeof id === 'string' && id !== '' ? id : acts.nextId(name.startsWith('/') ? 'actor.' : `${name}.`),
    src: name,
    ...(input === undefined ? {} : { input: input as Json }),
    ...(sync === true ? { sync: true as const } : {}),
    ...(typeof systemId === 'string' ? { systemId } : {}),
  };
  acts.request({ kind: 'spawn', child, logic });
}
