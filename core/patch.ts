// RFC 6902 patches, and their application with structural sharing. Of the six operations there are three: what a difference (diff.ts) is
// written in. test/unit/patch.test.ts holds both against fast-json-patch.

import { LockstepError } from './errors.ts';
import { isFields } from './fields.ts';
import type { Json } from './json.ts';
import { plain, unescapePointer } from './plain.ts';

export type Operation =
  | { readonly op: 'add'; readonly path: string; readonly value: Json }
  | { readonly op: 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/**
 * The document after the patch, frozen in depth; shares every subtree that the patch does not touch with `document`, which stays as it was.
 * @throws LockstepError BAD_PARAMS when an operation does not apply.
 */
export function applyPatch(document: Json, patch: readonly Operation[]): Json {
  let result = document;
  for (const operation of patch) result = applyOne(result, operation);
  return result;
}

function applyOne(document: Json, operation: Operation): Json {
  const value = operation.op === 'remove' ? undefined : plain(operation.value, operation.path);
  if (operation.path === '' && value !== undefined) return value;
  const [start, ...keys] = operation.path.split('/').map(unescapePointer);
  const last = keys.pop();
  if (start !== '' || last === undefined) throw inapplicable(operation);
  // Copies of the containers on the way; what lies beside it is shared.
  const root = copyOf(document);
  let container = root;
  for (const key of keys) {
    if (container === undefined || !Object.hasOwn(container, key)) throw inapplicable(operation);
    const holder = container as Record<string, Json>;
    container = copyOf(holder[key]!);
    holder[key] = container as Json;
  }
  if (container === undefined || !edit(container, last, operation.op, value)) throw inapplicable(operation);
  return plain(root, '');
}

type Container = Json[] | Record<string, Json>;

/** @returns undefined when the value is no container. */
function copyOf(value: Json): Container | undefined {
  if (Array.isArray(value)) return (value as readonly Json[]).slice();
  return isFields(value) ? { ...value } : undefined;
}

/** @returns false when there is no such place; nothing is changed then. */
function edit(container: Container, key: string, op: Operation['op'], value: Json | undefined): boolean {
  const isThere = Object.hasOwn(container, key);
  if (Array.isArray(container)) {
    const isEnd = op === 'add' && (key === '-' || key === String(container.length));
    if (!isEnd && (!isThere || key === 'length')) return false;
    container.splice(isEnd ? container.length : Number(key), op === 'add' ? 0 : 1, ...(value === undefined ? [] : [value]));
  } else {
    if (op === 'add' ? key === '__proto__' : !isThere) return false;
    if (value === undefined) delete container[key];
    else container[key] = value;
  }
  return true;
}

function inapplicable({ op, path }: Operation): LockstepError {
  return new LockstepError('BAD_PARAMS', `patch operation ${op} at "${path}" does not apply: the document has no such place`);
}
