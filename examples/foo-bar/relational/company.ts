// The server's side of foo and bar as relational machines: foo's patience, and faces of the bars that have reported, so that foo's words
// reach them. A bar whose tab has left is forgotten; it reports again when it is back.

import type { HandlerEvent } from '../../../core/handlers.ts';
import type { RelationalSelf } from '../../../core/relational/owner.ts';
import type { Peer } from '../../../peer/peer.ts';
import { RelationalMirror } from '../../../peer/relational-mirror.ts';
import { foo, type MsgArgs } from './foo.machine.ts';

export interface Patience {
  /** Milliseconds of silence until foo says hello. */
  readonly helloAfterMs: number;
  /** Milliseconds of silence until foo is bored. */
  readonly boredAfterMs: number;
}

export class RelationalCompany {
  /** foo, with the handlers that carry its words to this company. */
  readonly foo = {
    ...foo,
    handlers: {
      ...foo.handlers,
      MsgState: (event: HandlerEvent<MsgArgs, RelationalSelf>) => {
        foo.handlers.MsgState(event);
        this.#heard(event.args);
      },
      HealthcheckState: ({ args }: HandlerEvent<{ readonly bar?: string } | null>) => {
        if (args?.bar !== undefined) this.#know(args.bar);
      },
    },
  };
  readonly #patience: Patience;
  /** By instance; a face is there when its tab is. */
  readonly #bars = new Map<string, Promise<RelationalMirror>>();
  #peer: Peer | undefined;
  #face: RelationalMirror | undefined;
  #timers: readonly NodeJS.Timeout[] = [];
  #end = (): void => undefined;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** @param peer the authority of foo. */
  async attend(peer: Peer): Promise<void> {
    const face = new RelationalMirror(await peer.watch('relational-foo'));
    const presence = peer.onPresence(({ left }) => this.#forget(left));
    this.#peer = peer;
    this.#face = face;
    this.#end = () => {
      presence.unsubscribe();
      face.mirror.stop();
    };
    await face.add(['Start', 'Ready']);
    this.#listen();
  }

  leave(): void {
    this.#end();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#forget([...this.#bars.keys()].map(peerOf));
  }

  /** Whoever speaks but foo itself ends the silence. */
  #heard({ from, text }: MsgArgs): void {
    if (from !== 'foo') return this.#listen();
    for (const bar of this.#bars.values()) bar.then((face) => face.add('Msg', { from, text })).catch(() => undefined); // Its tab left, or never hosted it.
  }

  #listen(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    const { helloAfterMs, boredAfterMs } = this.#patience;
    this.#timers = [
      setTimeout(() => this.#bars.size > 0 && void this.#face?.add('Msg', { from: 'foo', text: 'hello' }), helloAfterMs).unref(),
      setTimeout(() => void this.#face?.add('Bored'), boredAfterMs).unref(),
    ];
  }

  #know(bar: string): void {
    // A report may be heard when its tab has left already.
    const isHere = this.#peer?.peers().some(({ peer }) => peer === peerOf(bar)) === true;
    if (this.#peer === undefined || !isHere || this.#bars.has(bar)) return;
    const face = this.#peer.watch(bar, undefined, { isPatient: true }).then((mirror) => new RelationalMirror(mirror));
    face.catch(() => undefined); // Whoever wants it is told.
    this.#bars.set(bar, face);
  }

  #forget(peers: readonly string[]): void {
    for (const [bar, face] of this.#bars) {
      if (!peers.includes(peerOf(bar))) continue;
      this.#bars.delete(bar);
      face.then(({ mirror }) => mirror.stop()).catch(() => undefined); // One that never opened is gone already.
    }
  }
}

function peerOf(bar: string): string {
  return bar.slice(0, bar.indexOf('/'));
}
