// Two moments of one instance side by side: what is different in the later one, whatever happened in between.        (docs/trace.md, TOOL-19)

import jsonPatch from 'fast-json-patch';
import type { Operation } from '../../core/patch.ts';
import { LockstepError } from '../../core/errors.ts';
import type { View } from './model.ts';

/**
 * The later view with what the earlier one came to in the place of what was right before it; clocks and patch are of all that happened since.
 * @throws LockstepError BAD_PARAMS for views of two instances.
 */
export function since(earlier: View, later: View): View {
  const [from, to] = [earlier.entry.record, later.entry.record];
  if (from.step.instance !== to.step.instance)
    throw new LockstepError(
      'BAD_PARAMS',
      `${to.step.instance} #${to.step.seq} and ${from.step.instance} #${from.step.seq} are not of one instance`,
    );
  const clocks = later.chart.states.flatMap(({ number }): View['clocks'] => {
    const [before, after] = [earlier.after.state.clocks[number] ?? 0, later.after.state.clocks[number] ?? 0];
    return before === after ? [] : [[number, before, after]];
  });
  const documents = [earlier, later].map(({ after }) => ({ context: after.state.context })) as [object, object];
  const patch = (jsonPatch.compare(...documents) as Operation[]).map((operation) => ({
    ...operation,
    path: operation.path.slice('/context'.length),
  }));
  return { ...later, before: earlier.after, clocks, patch };
}
