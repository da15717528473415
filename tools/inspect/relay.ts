// The role of Stately's inspector relay, on a port of its own: what any client says is told to all others, and the newest messages to
// whoever comes later. What our own peers do is told to all; what plain XState programs say goes into our trace as well.

import { createServer } from 'node:http';
import type { InspectIntake } from '../../peer/inspect/intake.ts';
import type { InspectMessage } from '../../peer/inspect/protocol.ts';
import { CLOSE_GOING_AWAY, type Frame, type Link } from '../../peer/link.ts';
import { Gate } from '../../relay/gate.ts';
import { listen, unlisten } from '../../relay/listen.ts';
import { serveSockets } from '../../relay/socket.ts';
import { bridgePage } from './page.ts';

/** As many as Stately's relay replays. */
const REPLAY_MAX = 200;
/** A client that reads more slowly misses messages. */
const BUFFERED_BYTES_MAX = 4_194_304;

export interface InspectRelayOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly origins?: readonly string[];
  /** The inspector that the page at `/` shows. */
  readonly inspector: string;
}

export class InspectRelay {
  readonly #options: InspectRelayOptions;
  readonly #links = new Set<Link>();
  readonly #recent: Frame[] = [];
  #end: () => Promise<void> = async () => undefined;

  constructor(options: InspectRelayOptions) {
    this.#options = options;
  }

  /** @param intake hears what clients say. @returns the URL. @throws LockstepError UNREACHABLE when the port cannot be had. */
  async start(intake: InspectIntake): Promise<string> {
    const { host, port, origins = [], inspector } = this.#options;
    const gate = new Gate({ host, origins });
    const page = bridgePage(inspector);
    const http = createServer((request, response) => {
      const refusal = gate.refusal({ host: request.headers.host });
      response.writeHead(refusal === undefined ? 200 : 403, page.headers);
      response.end(refusal ?? page.html);
    });
    const endSockets = serveSockets({ http, gate, accept: (link) => this.#accept(link, intake) });
    this.#end = async () => {
      for (const link of this.#links) link.close(CLOSE_GOING_AWAY, 'the inspector ends');
      endSockets();
      await unlisten(http);
    };
    return listen(http, host, port);
  }

  send(message: InspectMessage): void {
    this.#tell(JSON.stringify(message), undefined);
  }

  close(): Promise<void> {
    return this.#end();
  }

  #accept(link: Link, intake: InspectIntake): void {
    for (const frame of this.#recent) link.send(frame);
    this.#links.add(link);
    intake.attach(
      link,
      (frame) => this.#tell(frame, link),
      () => void this.#links.delete(link),
    );
  }

  #tell(frame: Frame, from: Link | undefined): void {
    this.#recent.push(frame);
    if (this.#recent.length > REPLAY_MAX) this.#recent.shift();
    for (const link of this.#links) if (link !== from && link.bufferedBytes < BUFFERED_BYTES_MAX) link.send(frame);
  }
}
