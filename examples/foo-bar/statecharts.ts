// foo and bar as statecharts: hosts this tab's bar, mirrors the server's foo, and carries what bar says over to foo.

import { connect } from '../../browser/index.ts';
import image from './bar.machine.ts?image';
import { bar, type BarContext } from './bar.machine.ts';
import { foo, type FooContext } from './foo.machine.ts';
import type { Side } from './side.ts';

export async function open(): Promise<Side> {
  /** bar's effect: its words leave for foo. Offline they wait in the mirror of foo, in order. */
  const speaking = bar.provide({
    actions: { tell: ({ event }) => event.type === 'say' && theFoo.send({ type: 'message', from: name, text: event.text }) },
  });
  const peer = await connect({ name: 'foo-bar page', machines: { bar: { image: image.bytes, definition: speaking } } });
  const name = `bar-${(await peer.ready).slice(0, 4)}`;
  const theFoo = await peer.watch('foo', foo, { isPatient: true });
  const theBar = await peer.host('bar', 'bar');

  /** Whenever foo does not know this tab's bar (a new tab, one that was away for long), bar introduces itself. */
  const introduce = (): void => {
    const { bars } = theFoo.getSnapshot().context as unknown as FooContext;
    if (theFoo.standing === 'confirmed' && !bars.includes(theBar.id)) theFoo.send({ type: 'arrive', bar: theBar.id });
  };
  theFoo.subscribe(introduce);
  theFoo.onStanding(introduce);
  introduce();

  return {
    peer,
    name,
    foo: theFoo,
    bar: theBar,
    // The guard of bar decides; the page only asks it.
    say: async (text) => {
      const event = { type: 'say', text };
      const isHeard = theBar.getSnapshot().can(event);
      theBar.send(event);
      return isHeard;
    },
    onLog: (of, show) => {
      const mirror = of === 'foo' ? theFoo : theBar;
      const shown = (): void => show((mirror.getSnapshot().context as unknown as BarContext).log);
      mirror.subscribe(shown);
      shown();
    },
  };
}
