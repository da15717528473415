// What a relay answers to hello. Most of it is the same for all who come while the same server is here, and it is encoded once for them: after a
// restart everyone comes at once.

import { encodeAnswer, encodeAnswerText, joinFields, type RequestId } from '../peer/codec-json.ts';
import { type HelloResult, type Limits, type PeerInfo, PROTOCOL_VERSION } from '../peer/wire.ts';

/** What is told to one peer. */
type Own = Pick<HelloResult, 'encoding' | 'peer' | 'session' | 'now'>;

export class Greeting {
  readonly #limits: Limits;
  /** What those are told in common who hear of the server only, and the server as it was then. */
  #common: { readonly server: PeerInfo | undefined; readonly text: string } | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** To one who hears of the server only. */
  answer(id: RequestId, own: Own, server: PeerInfo | undefined): string {
    if (this.#common === undefined || this.#common.server !== server)
      this.#common = { server, text: JSON.stringify(this.#told(server, server === undefined ? [] : [server])) };
    return encodeAnswerText(id, joinFields(this.#common.text, JSON.stringify(own)));
  }

  /** To one who hears of everyone. @param peers as this one may know them. */
  observer(id: RequestId, own: Own, server: PeerInfo | undefined, peers: readonly PeerInfo[]): string {
    return encodeAnswer(id, { ...this.#told(server, peers), ...own });
  }

  #told(server: PeerInfo | undefined, peers: readonly PeerInfo[]): Omit<HelloResult, keyof Own> {
    return { version: PROTOCOL_VERSION, server: server?.peer ?? null, limits: this.#limits, peers };
  }
}
