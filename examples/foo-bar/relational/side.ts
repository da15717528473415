// foo and bar as relational machines: hosts this tab's bar, mirrors the server's foo, and carries what bar is told to say over to foo. A
// relational machine keeps no log: the page shows what it has heard since it was opened.

import { connect } from '../../../browser/index.ts';
import { EXECUTED } from '../../../core/relational/types.ts';
import { RelationalMirror } from '../../../peer/relational-mirror.ts';
import { append, type Log, type Message } from '../message.ts';
import type { Side } from '../side.ts';
import image from './bar.machine.ts?image';
import { bar } from './bar.machine.ts';
import { foo } from './foo.machine.ts';

export async function open(): Promise<Side> {
  const peer = await connect({ name: 'foo-bar page', machines: { 'relational-bar': { image: image.bytes, definition: bar } } });
  const name = `bar-${(await peer.ready).slice(0, 4)}`;
  const theFoo = new RelationalMirror(await peer.watch('relational-foo', foo, { isPatient: true }));
  const theBar = new RelationalMirror(await peer.host('relational-bar', 'relational-bar'));
  await theBar.add('Start');

  /** Whenever there is a road again, bar reports: foo's company forgets a tab that was away. */
  let isKnown = false;
  const report = (): void => {
    const { standing } = theFoo.mirror;
    if (standing === 'offline') isKnown = false;
    if (standing !== 'confirmed' || isKnown) return;
    isKnown = true;
    void theFoo.add('Healthcheck', { bar: theBar.id });
  };
  theFoo.mirror.onStanding(report);
  report();

  return {
    peer,
    name,
    foo: theFoo.mirror,
    bar: theBar.mirror,
    face: theFoo,
    // bar's handlers decide. Its words leave for foo in the order of the turns; offline they wait in foo's mirror.
    say: async (text) => {
      const isHeard = (await theBar.add('SubmitMsg', { text })) === EXECUTED;
      if (isHeard) void theFoo.add('Msg', { from: name, text });
      return isHeard;
    },
    onLog: (of, show) => {
      const face = of === 'foo' ? theFoo : theBar;
      const msg = face.names.indexOf('Msg') + 1;
      let log: Log = [];
      face.onStep(({ before, after, args }) => {
        if (args === undefined || before[msg] === after[msg] || after[msg]! % 2 === 0) return;
        const { from, text } = args as unknown as Message;
        log = append(log, from, text);
        show(log);
      });
      show(log);
    },
  };
}
