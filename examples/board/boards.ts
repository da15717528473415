// Which boards there are, and a mirror of each: what was done on one that nobody looks at just now is sent all the same. The list is
// remembered, so that a page without a network has it too.

import type { Peer } from '../../browser/index.ts';
import type { Mirror } from '../../peer/mirror.ts';
import { newId, recall, remember } from '../kit/storage.ts';
import { board } from './board.machine.ts';

const KEY = 'lockstep.board.boards';
const BOARDS_MAX = 50;

export class Boards {
  readonly #peer: Peer;
  readonly #mirrors = new Map<string, Mirror>();
  readonly #came: (id: string, mirror: Mirror) => void;
  readonly #went: (id: string, mirror: Mirror) => void;

  /**
   * @param came a board is there for the first time in this page, perhaps only as it was left.
   * @param went the server does not have it any more.
   */
  constructor(peer: Peer, came: (id: string, mirror: Mirror) => void, went: (id: string, mirror: Mirror) => void) {
    this.#peer = peer;
    this.#came = came;
    this.#went = went;
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
    const known = JSON.parse(recall(KEY) ?? '[]') as readonly string[];
    await Promise.all(known.map((id) => this.open(id)));
  }

  /** Those that the server has, and no others. */
  async look(): Promise<void> {
    const known = this.ids();
    const { instances, more } = await this.#peer.list({ machine: 'board', limit: BOARDS_MAX });
    await Promise.all(instances.map(({ instance }) => this.open(instance)));
    for (const id of known) if (!more && !instances.some(({ instance }) => instance === id)) this.#forget(id);
    remember(KEY, JSON.stringify(this.ids()));
  }

  /** @returns its name. */
  async create(title: string): Promise<string> {
    const slug = title
      .toLowerCase()
      .normalize('NFKD')
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '');
    const { instance } = await this.#peer.create('board', {
      instance: `board:${slug || 'new'}-${newId().slice(0, 4)}`,
      input: { title },
    });
    await this.open(instance);
    remember(KEY, JSON.stringify(this.ids()));
    return instance;
  }

  /** One that is named somewhere, and may be none, or beyond those that are listed. @returns whether there is such a board. */
  async find(id: string): Promise<boolean> {
    if (!id.startsWith('board:')) return false;
    return this.open(id, false).then(
      () => true,
      () => false,
    );
  }

  /** @param isPatient whether it waits for one that cannot be had now. */
  async open(id: string, isPatient = true): Promise<void> {
    if (this.#mirrors.has(id)) return;
    const mirror = (await this.#peer.watch(id, board, { isPatient })) as unknown as Mirror;
    if (this.#mirrors.has(id)) return;
    this.#mirrors.set(id, mirror);
    mirror.subscribe({ error: () => this.#forget(id) });
    this.#came(id, mirror);
  }

  #forget(id: string): void {
    const mirror = this.#mirrors.get(id);
    if (mirror === undefined) return;
    this.#mirrors.delete(id);
    this.#went(id, mirror);
    mirror.stop();
  }
}
