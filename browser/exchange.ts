// Holds the one socket that the tabs of a browser share, and connects each line of a tab with a line of its trunk. It runs in a
// SharedWorker, or in the tab that leads. It knows no machines and no peers: frames pass through.                    (TAB-1, TAB-6)

import { LockstepError } from '../core/errors.ts';
import { CLOSE_GOING_AWAY, CLOSE_NORMAL, CLOSE_PROTOCOL, CLOSE_SLOW, type Dial, type Link } from '../peer/link.ts';
import { Trunk } from '../peer/trunk.ts';
import type { Notifications } from '../peer/wire.ts';
import type { FromTab, TabId, ToTab } from './tab-messages.ts';

/** Characters that a tab may leave unread: one that is frozen costs no more than this, and resumes when it wakes. */
const WINDOW = 4_194_304;

export interface ExchangeOptions {
  readonly dial: Dial;
  readonly share: Notifications['share'];
}

interface Connected {
  readonly link: Link;
  /** Characters sent to the tab and not taken yet. */
  unread: number;
  /** Whether the relay ever said anything on it. */
  hasHeard: boolean;
}

interface Tab {
  readonly post: (message: ToTab) => void;
  readonly lines: Map<number, Connected>;
}

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #tabs = new Map<TabId, Tab>();
  #trunk: Promise<Trunk> | undefined;
  #isClosed = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  has(tab: TabId): boolean {
    return this.#tabs.has(tab);
  }

  join(tab: TabId, post: (message: ToTab) => void): void {
    this.#tabs.set(tab, { post, lines: new Map() });
  }

  /** The tab is gone, or has begun anew: nobody is at the end of its lines. */
  leave(tab: TabId): void {
    const lines = this.#tabs.get(tab)?.lines ?? [];
    this.#tabs.delete(tab);
    for (const [, { link }] of lines) link.close(CLOSE_NORMAL, 'the tab is gone');
    this.#rest();
  }

  receive(from: TabId, message: FromTab): void {
    const tab = this.#tabs.get(from);
    if (tab === undefined) return;
    const connected = tab.lines.get(message.line);
    switch (message.kind) {
      case 'dial':
        return void this.#dial(tab, message.line);
      case 'frame':
        return connected?.link.send(message.frame);
      case 'took':
        if (connected !== undefined) connected.unread -= message.size;
        return;
      case 'close':
        tab.lines.delete(message.line);
        connected?.link.close(message.code, message.reason);
        // A relay that never answered on this line may not be there at all: the next one gets a socket of its own.
        if (message.code === CLOSE_PROTOCOL && connected?.hasHeard === false) this.#drop();
        return this.#rest();
    }
  }

  /** Lets the socket go; every line ends. */
  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  async #dial(tab: Tab, line: number): Promise<void> {
    try {
      const trunk = await (this.#trunk ??= this.#open());
      if ([...this.#tabs.values()].includes(tab)) this.#connect(tab, line, trunk.dial());
    } catch (error) {
      const { code, message } = error instanceof LockstepError ? error : new LockstepError('UNREACHABLE', String(error));
      tab.post({ kind: 'failed', line, code, message });
    }
  }

  #connect(tab: Tab, line: number, link: Link): void {
    const connected: Connected = { link, unread: 0, hasHeard: false };
    tab.lines.set(line, connected);
    tab.post({ kind: 'dialled', line });
    link.open({
      frame: (frame) => {
        connected.hasHeard = true;
        connected.unread += frame.length;
        if (connected.unread <= WINDOW) tab.post({ kind: 'frame', line, frame });
        else link.close(CLOSE_SLOW, `the tab left ${connected.unread} characters unread`);
      },
      closed: (code, reason) => {
        if (tab.lines.get(line) !== connected) return;
        tab.lines.delete(line);
        tab.post({ kind: 'closed', line, code, reason });
      },
    });
  }

  async #open(): Promise<Trunk> {
    try {
      const link = await this.#options.dial();
      if (this.#isClosed) {
        link.close(CLOSE_NORMAL, '');
        throw new LockstepError('UNREACHABLE', 'another tab holds the socket now');
      }
      const trunk: Trunk = new Trunk(link);
      trunk.share(this.#options.share);
      const opened = this.#trunk;
      link.open({
        frame: (frame) => trunk.receive(frame),
        closed: (_code, reason) => {
          if (this.#trunk === opened) this.#trunk = undefined;
          // What ended the socket is no judgement on any one peer.
          trunk.ended(CLOSE_GOING_AWAY, reason);
        },
      });
      return trunk;
    } catch (error) {
      this.#trunk = undefined;
      throw error;
    }
  }

  #drop(): void {
    const dropped = this.#trunk;
    this.#trunk = undefined;
    dropped?.then((trunk) => trunk.close(CLOSE_NORMAL, '')).catch(() => undefined); // It never opened.
  }

  /** A socket that nobody uses is closed. */
  #rest(): void {
    if ([...this.#tabs.values()].every(({ lines }) => lines.size === 0)) this.#drop();
  }
}
