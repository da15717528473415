// Which boards there are, and a mirror of each: what was done on one that nobody looks at just now is sent all the same. The list is
// remembered, so that a page without a network has it too.

import type { Peer } from '../../browser/index.ts';
import type { Mirror } from '../../peer/mirror.ts';
import { board } from './board.machine.ts';

const KEY = 'lockstep.board.boards';
const BOARDS_MAX = 50;

export class Boards {
  readonly #peer: Peer;
  readonly #mirrors = new Map<string, Mirror>();
  readonly #came: (id: string, mirror: Mirror) => void;

  /** @param came a board is there for the first time in this page, perhaps only as it was left. */
  constructor(peer: Peer, came: (id: string, mirror: Mirror) => void) {
    this.#peer = peer;
    this.#came = came;
  }

  /** In the order in which the server lists them. */
  ids(): readonly string[] {
    return [...this.#mirrors.keys()].sort();
  }

  mirror(id: string): Mirror | undefined {
    return this.#mirrors.get(id);
  }

  /** Those that are remembered. */
  async recall(): Promise<void> {
    const known = JSON.parse(localStorage.getItem(KEY) ?? '[]') as readonly string[];
    await Promise.all(known.map((id) => this.open(id)));
  }

  /** Those that the server has. */
  async look(): Promise<void> {
    const { instances } = await this.#peer.list({ machine: 'board', limit: BOARDS_MAX });
    await Promise.all(instances.map(({ instance }) => this.open(instance)));
    localStorage.setItem(KEY, JSON.stringify(this.ids()));
  }

  /** @returns its name. */
  async create(title: string): Promise<string> {
    const slug = title
      .toLowerCase()
      .normalize('NFKD')
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '');
    const { instance } = await this.#peer.create('board', {
      instance: `board:${slug || 'new'}-${crypto.randomUUID().slice(0, 4)}`,
      input: { title },
    });
    await this.open(instance);
    localStorage.setItem(KEY, JSON.stringify(this.ids()));
    return instance;
  }

  async open(id: string): Promise<void> {
    if (this.#mirrors.has(id)) return;
    const mirror = (await this.#peer.watch(id, board, { isPatient: true })) as unknown as Mirror;
    if (this.#mirrors.has(id)) return;
    this.#mirrors.set(id, mirror);
    this.#came(id, mirror);
  }
}
