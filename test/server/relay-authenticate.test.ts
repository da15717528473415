// A relay by itself that knows who its peers are, and a server behind it that decides by that who may see what.

import { afterEach, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { LockstepError } from '../../core/errors.ts';
import { MemoryJournal } from '../../peer/memory.ts';
import type { Peer } from '../../peer/peer.ts';
import { relay } from '../../relay/index.ts';
import { connect, serve } from '../../server/index.ts';

const lamp = createMachine({ id: 'lamp', initial: 'off', states: { off: { on: { PRESS: 'on' } }, on: {} } });

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function client(url: string, token: string): Promise<Peer> {
  const peer = await connect(url, { token });
  endings.push(() => peer.close());
  return peer;
}

test('[VIEW-7] what the authenticate of a relay alone makes of a token is the auth context of that reader at the server behind it', async () => {
  const between = await relay({
    port: 0,
    authenticate: ({ token, kind }) => {
      if (kind !== 'server' && token?.startsWith('token of ') !== true) throw new LockstepError('FORBIDDEN', 'a token is wanted here');
      return { user: token?.replace('token of ', '') ?? '' };
    },
  });
  endings.push(() => between.close());
  const isAnn = ({ authContext }: { readonly authContext: unknown }): boolean => (authContext as { readonly user?: string }).user === 'ann';
  const server = await serve({
    port: 0,
    journal: new MemoryJournal(),
    machines: { lamp: { machine: lamp, allowRead: () => true, allowWrite: isAnn } },
    relay: { url: between.url, key: between.key },
  });
  endings.push(() => server.close());
  await server.peer.ready;
  await server.create('lamp', 'hall');
  const bob = await (await client(between.url, 'token of bob')).watch('hall', lamp);
  await expect(bob.submit({ type: 'PRESS' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const ann = await (await client(between.url, 'token of ann')).watch('hall', lamp);
  expect(await ann.submit({ type: 'PRESS' })).toMatchObject({ outcome: 'stepped' });
  await expect(connect(between.url, { token: 'nonsense' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
});
