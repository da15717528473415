// What the page of foo and bar shows, whichever machines they are: statecharts (statecharts.ts) or relational machines (relational/side.ts).

import type { AnyMirror } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import type { RelationalMirror } from '../../peer/relational-mirror.ts';
import type { Message } from './message.ts';

export interface Side {
  readonly peer: Peer;
  /** Of this tab's bar, as foo hears it. */
  readonly name: string;
  readonly foo: AnyMirror;
  readonly bar: AnyMirror;
  /** foo with the words of a relational machine, where it is one. */
  readonly face?: RelationalMirror;
  /** What bar is told to say. @returns whether it does. */
  say(text: string): Promise<boolean>;
  /** Shows the messages of a machine, now and whenever there are others. */
  onLog(of: 'foo' | 'bar', show: (log: readonly Message[]) => void): void;
}
