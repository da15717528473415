// Machines that are not for everyone, as programs give them: `{ machine, allowRead, allowWrite, allowDelete, views }`, and as modules export
// them beside their machines.

import { LockstepError } from '../core/errors.ts';
import { isFields } from '../core/fields.ts';
import type { Policy } from '../peer/policy.ts';

const FUNCTIONS = ['allowRead', 'allowWrite', 'allowDelete'] as const;
const PARTS: readonly string[] = [...FUNCTIONS, 'views'];

/** A machine, and who may see and do what with its instances. @throws LockstepError BAD_DEFINITION */
export function readMachine(name: string, given: unknown): { readonly machine: unknown; readonly policy?: Policy } {
  if (!isFields(given) || given['machine'] === undefined) return { machine: given };
  const foreign = Object.keys(given).find((key) => key !== 'machine' && !PARTS.includes(key));
  if (foreign !== undefined)
    throw new LockstepError('BAD_DEFINITION', `machine "${name}": beside machine there can be ${PARTS.join(', ')}, found ${foreign}`);
  const policy = readPolicy(`machine "${name}"`, given);
  return { machine: given['machine'], ...(policy === undefined ? {} : { policy }) };
}

/** @param parts may hold other things. @returns undefined when it says nothing of who may. @throws LockstepError BAD_DEFINITION */
export function readPolicy(where: string, parts: Readonly<Record<string, unknown>>): Policy | undefined {
  const given = Object.fromEntries(PARTS.map((part) => [part, parts[part]] as const).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length === 0) return undefined;
  for (const part of FUNCTIONS)
    if (given[part] !== undefined && typeof given[part] !== 'function')
      throw new LockstepError('BAD_DEFINITION', `${where}: ${part} is a function, found ${typeof given[part]}`);
  const views = given['views'] ?? {};
  if (!isFields(views)) throw new LockstepError('BAD_DEFINITION', `${where}: views is an object of views by name, found ${typeof views}`);
  for (const [name, view] of Object.entries(views))
    if (typeof view !== 'function' && view !== 'all')
      throw new LockstepError('BAD_DEFINITION', `${where}: view "${name}" is a function, or 'all', found ${JSON.stringify(view)}`);
  return given;
}
