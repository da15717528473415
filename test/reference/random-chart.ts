// Random plain charts of up to six states besides the root, rich in what ties and conflicts come from: parallel regions, history, `always`,
// raised events, guards, several targets.

import type { Random } from '../support/random.ts';
import type { PlainChart, PlainNode, PlainTransition } from './chart.ts';

const STATES_MAX = 6;
const TYPES = ['E', 'F', 'x.a', 'x.b'];
const DESCRIPTORS = ['E', 'E', 'F', 'F', 'x.a', 'x.b', 'x.*', '*'];
/** Small ones are there to be met exactly. */
const ROUNDS_MAX = [3, 5, 40, 40, 40, 40];

/** Event types worth sending to any of these charts; nothing names the last one. */
export const SENT: readonly string[] = [...TYPES, 'x', 'other'];

interface Node {
  readonly id: string;
  readonly key: string;
  readonly parent: Node | undefined;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly children: Node[];
}

export function randomPlainChart(dice: Random): PlainChart {
  const nodes: Node[] = [];
  const grow = (key: string, parent: Node | undefined, wanted: number): void => {
    const id = parent === undefined ? key : `${parent.id}.${key}`;
    const leaf = dice.pick(['atomic', 'atomic', 'final', 'history'] as const);
    const kind = wanted === 0 ? leaf : dice.pick(['compound', 'compound', 'parallel'] as const);
    const node: Node = { id, key, parent, kind, children: [] };
    nodes.push(node);
    parent?.children.push(node);
    for (let left = wanted, index = 0; left > 0; index += 1) {
      const below = dice.below(left);
      grow(String.fromCharCode(97 + index), node, below);
      left -= 1 + below;
    }
  };
  grow('m', undefined, 2 + dice.below(STATES_MAX - 1));
  return { id: 'm', options: { maxIterations: dice.pick(ROUNDS_MAX) }, ...new Writer(dice, nodes).node(nodes[0]!) };
}

class Writer {
  readonly #dice: Random;
  readonly #nodes: readonly Node[];

  constructor(dice: Random, nodes: readonly Node[]) {
    this.#dice = dice;
    this.#nodes = nodes;
  }

  node(node: Node): PlainNode {
    const { chance, pick } = this.#dice;
    if (node.kind === 'history') return this.#history(node);
    const states = Object.fromEntries(node.children.map((child) => [child.key, this.node(child)]));
    const on: Record<string, readonly PlainTransition[]> = {};
    for (let count = this.#dice.below(4); count > 0; count -= 1) on[pick(DESCRIPTORS)] = this.#transitions(node);
    return {
      ...(node.kind === 'parallel' || node.kind === 'final' ? { type: node.kind } : {}),
      ...(node.kind === 'compound' ? { initial: this.#initial(node) } : {}),
      ...(node.children.length > 0 ? { states } : {}),
      ...(chance(0.6) ? { entry: this.#actions(`in ${node.id}`) } : {}),
      ...(chance(0.6) ? { exit: this.#actions(`out ${node.id}`) } : {}),
      on,
      ...(chance(0.15) ? { always: this.#transitions(node).map((transition) => ({ ...transition, guard: this.#guard() })) } : {}),
      ...(node.children.length > 0 && chance(0.4) ? { onDone: this.#transitions(node) } : {}),
    };
  }

  #history({ key, parent }: Node): PlainNode {
    const { chance, pick } = this.#dice;
    const inside = this.#nodes.filter(({ id }) => id.startsWith(`${parent?.id ?? ''}.`) && id !== `${parent?.id ?? ''}.${key}`);
    const target = inside.length > 0 && chance(0.6) ? pick(inside).id.slice((parent?.id.length ?? 0) + 1) : undefined;
    return { type: 'history', history: pick(['shallow', 'deep']), ...(target === undefined ? {} : { target }) };
  }

  #initial({ id, children }: Node): NonNullable<PlainNode['initial']> {
    const { chance, pick } = this.#dice;
    const target = pick(children).key;
    return chance(0.4) ? { target, actions: [`start ${id}`] } : target;
  }

  #transitions(source: Node): PlainTransition[] {
    return Array.from({ length: this.#dice.pick([0, 1, 1, 1, 1, 2]) }, (_, index) => this.#transition(source, index));
  }

  #transition(source: Node, index: number): PlainTransition {
    const { chance } = this.#dice;
    return {
      ...(chance(0.85) ? { target: this.#targets() } : {}),
      ...(chance(0.25) ? { reenter: true } : {}),
      ...(chance(0.35) ? { guard: this.#guard() } : {}),
      ...(chance(0.6) ? { actions: this.#actions(`on ${source.id} ${index}`) } : {}),
    };
  }

  /** One node, or now and then one in each of two regions. */
  #targets(): string[] {
    const { chance, pick } = this.#dice;
    const parallel = this.#nodes.filter(({ kind, children }) => kind === 'parallel' && children.length > 1);
    if (parallel.length === 0 || !chance(0.15)) return [`#${pick(this.#nodes).id}`];
    const [first, second] = pick(parallel).children as [Node, Node, ...Node[]];
    const inside = (region: Node): Node => pick(this.#nodes.filter(({ id }) => id === region.id || id.startsWith(`${region.id}.`)));
    const pair = [`#${inside(first).id}`, `#${inside(second).id}`];
    return chance(0.5) ? pair : pair.reverse();
  }

  #guard(): string {
    const { below, chance, pick } = this.#dice;
    const states = this.#nodes.filter(({ kind }) => kind !== 'history');
    return chance(0.25) ? `in ${pick(states).id}` : `g${below(4)}`;
  }

  #actions(name: string): string[] {
    const { chance, pick } = this.#dice;
    return [name, ...(chance(0.1) ? ['assign'] : []), ...(chance(0.07) ? [`raise ${pick([...TYPES, 'x.other'])}`] : [])];
  }
}
