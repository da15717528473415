// Machine types reach their mirrors. What is wrong here fails the type check that `npm test` begins with; the rest runs.

import { expect, expectTypeOf, test } from 'vitest';
import { setup } from 'xstate';
import type { AnyActor } from '../../core/actor.ts';
import type { EventObject, Json } from '../../core/json.ts';
import type { AnyMirror, Mirror, MirrorOf } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { World } from '../support/world.ts';

const lamp = setup({
  types: { context: {} as { readonly watts: number }, events: {} as { type: 'ON'; watts: number } | { type: 'OFF' } },
}).createMachine({
  id: 'lamp',
  context: { watts: 0 },
  initial: 'off',
  states: { off: { on: { ON: 'on' } }, on: { on: { OFF: 'off' }, initial: 'dim', states: { dim: {}, bright: {} } } },
});

/** Never called: what the types say is what is tested. */
function uses(peer: Peer, mirror: MirrorOf<typeof lamp>, open: Mirror): void {
  expectTypeOf(peer.watch('a', lamp)).resolves.toEqualTypeOf<MirrorOf<typeof lamp>>();
  expectTypeOf(peer.watch('a')).resolves.toEqualTypeOf<Mirror>();
  expectTypeOf(mirror.getSnapshot().context).toEqualTypeOf<{ readonly watts: number }>();
  expectTypeOf(open.getSnapshot().context).toEqualTypeOf<Json>();
  expectTypeOf(open.send).parameter(0).toEqualTypeOf<EventObject>();
  mirror.send({ type: 'ON', watts: 40 });
  // @ts-expect-error a field is missing
  mirror.send({ type: 'ON' });
  // @ts-expect-error no such event
  mirror.send({ type: 'EXPLODE' });
  mirror.getSnapshot().matches({ on: 'dim' });
  // @ts-expect-error no such state
  mirror.getSnapshot().matches({ on: 'blinding' });
  void mirror.when('off');
  void mirror.when(({ context }) => context.watts > 20);
  // @ts-expect-error no such state
  void mirror.when('gone');
  // A mirror of any machine passes where the machine does not matter.
  expectTypeOf(mirror).toExtend<AnyMirror>();
  expectTypeOf(mirror).toExtend<AnyActor>();
}

test('[WEB-10] machine types flow to send, matches, when and context of a mirror', async () => {
  expect(uses).toBeTypeOf('function');
  const world = new World();
  await world.server({ machines: { lamp: { definition: lamp } } });
  const alice = await world.peer('alice');
  await world.get(alice.create('lamp', { instance: 'desk' }));
  const mirror = await world.get(alice.watch('desk', lamp));
  mirror.send({ type: 'ON', watts: 40 });
  expect(mirror.getSnapshot().matches({ on: 'dim' })).toBe(true);
  expect(mirror.getSnapshot().context.watts).toBe(0);
});
