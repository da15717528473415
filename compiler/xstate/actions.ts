// Runs a list of actions as XState does: strictly in order, each seeing the snapshot that the one before it left. Author's functions and
// the effects of builtins go to the actor's own executor, which decides whether they run now or after start().

import type { AnyActorScope, AnyMachineSnapshot, EventObject } from 'xstate';
import { isFunction, paramsOf, referenceName } from '../../core/source.ts';
import { isBuiltin, type Extra, type Info } from './builtins.ts';

/** What a list of actions runs in. */
export interface Surroundings extends Extra {
  readonly scope: AnyActorScope;
  readonly event: EventObject;
  /** Filled with what has to look again once the whole list is done; undefined where nothing can be missing yet. */
  readonly retries: Retry[] | undefined;
}

export type Retry = (snapshot: AnyMachineSnapshot) => void;

/** @returns the snapshot that the actions left; the same object when none of them changed context or children. */
export function runActions(actions: readonly unknown[], snapshot: AnyMachineSnapshot, surroundings: Surroundings): AnyMachineSnapshot {
  return actions.reduce<AnyMachineSnapshot>((current, action) => runAction(action, current, surroundings), snapshot);
}

function runAction(action: unknown, snapshot: AnyMachineSnapshot, surroundings: Surroundings): AnyMachineSnapshot {
  const { scope, event, retries } = surroundings;
  const info: Info = { context: snapshot.context, event, self: scope.self, system: scope.system };
  const meant = isFunction(action) ? action : snapshot.machine.implementations.actions[referenceName(action) as string];
  const params = paramsOf(action, info);
  if (!isBuiltin(meant)) {
    scope.actionExecutor({ type: typeOf(action), info, params, exec: meant as never });
    return snapshot;
  }
  const [next, resolved, more] = meant.resolve(scope, snapshot, info, params, meant, surroundings);
  if (meant.retryResolve !== undefined) retries?.push((settled) => meant.retryResolve?.(scope, settled, resolved));
  if (meant.execute !== undefined) {
    scope.actionExecutor({ type: meant.type, info, params: resolved as never, exec: meant.execute.bind(null, scope, resolved) });
  }
  return more == null ? next : runActions(more, next, surroundings);
}

/** What inspection calls an action of the author's. */
function typeOf(action: unknown): string {
  if (isFunction(action)) return action.name || '(anonymous)';
  return referenceName(action) as string;
}
