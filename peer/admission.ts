// What an authority asks of an event from a peer before it runs it. The core asks the rest: whether the machine knows it and still runs.

import { LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import { matchesValue, type StateValue } from '../core/machine.ts';
import { sizeOf } from './shape.ts';
import { type Expectation, type InstanceId, LIMITS } from './wire.ts';

/**
 * @param event plain JSON, from the gate.
 * @throws LockstepError FORBIDDEN, TOO_LARGE; nothing changed.   (SYNC-7)
 */
export function admit(event: EventObject): void {
  if (event.type.startsWith('xstate.')) {
    throw new LockstepError('FORBIDDEN', `"${event.type}": events that begin with xstate. are made by the authority alone`);
  }
  if (sizeOf(event as unknown as Json, LIMITS.eventSize) > LIMITS.eventSize) {
    throw new LockstepError('TOO_LARGE', `an event of type "${event.type}" is over ${LIMITS.eventSize} characters`);
  }
}

/**
 * Whether the instance is as its sender expects.
 * @param instance `value`: the one that the sender sees.
 * @throws LockstepError EXPECTATION; nothing changed.   (SYNC-17)
 */
export function meet(id: InstanceId, instance: { readonly seq: number; readonly value: () => StateValue }, expect: Expectation): void {
  if (expect.seq !== undefined && expect.seq !== instance.seq) {
    throw new LockstepError('EXPECTATION', `${id} is at seq ${instance.seq}, the sender expected ${expect.seq}`);
  }
  if (expect.state === undefined) return;
  const value = instance.value();
  if (!matchesValue(expect.state, value)) {
    throw new LockstepError('EXPECTATION', `${id} is in ${JSON.stringify(value)}, the sender expected ${JSON.stringify(expect.state)}`);
  }
}
