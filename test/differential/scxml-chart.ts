// Random SCXML documents: every structure that the core has rules for, content that tells what ran, and conditions whose answers a hash decides.

import type { Random } from '../support/random.ts';

const EVENTS = ['a', 'a.b', 'a.b.c', 'b', 'c'];
const DESCRIPTORS = ['a', 'a', 'a.b', 'a.b.*', 'b', 'b', 'c', 'c.', '*'];

export const EVENT_NAMES: readonly string[] = [...EVENTS, 'd', 'done.state.x'];

interface Node {
  readonly kind: 'state' | 'parallel' | 'final' | 'history';
  readonly id: string;
  readonly parent: Node | undefined;
  readonly children: Node[];
}

/** The text of a document; now and then one that the compiler refuses. */
export function randomDocument(dice: Random): string {
  const nodes: Node[] = [];
  const max = dice.pick([6, 12, 24, 40]);
  const add = (parent: Node | undefined, kind: Node['kind']): Node => {
    const node = { kind, id: `s${nodes.length}`, parent, children: [] };
    nodes.push(node);
    parent?.children.push(node);
    return node;
  };
  const grow = (node: Node, depth: number): void => {
    for (let count = 1 + dice.below(3); count > 0 && nodes.length < max; count -= 1) {
      const isParallel = node.kind === 'parallel';
      const child = add(node, dice.chance(0.25) ? 'parallel' : !isParallel && dice.chance(0.15) ? 'final' : 'state');
      if (child.kind !== 'final' && depth < 4 && dice.chance(child.kind === 'parallel' ? 1 : 0.5)) grow(child, depth + 1);
    }
    if (node.children.length > 0 && dice.chance(0.3)) add(node, 'history');
  };
  const root = add(undefined, 'state');
  grow(root, 0);
  return new Writer(dice, nodes).document(root);
}

class Writer {
  readonly #dice: Random;
  readonly #nodes: readonly Node[];

  constructor(dice: Random, nodes: readonly Node[]) {
    this.#dice = dice;
    this.#nodes = nodes;
  }

  document(root: Node): string {
    return `<scxml${this.#initialAttribute(root)}>${root.children.map((child) => this.#node(child)).join('')}</scxml>`;
  }

  #node(node: Node): string {
    const { kind, id, children } = node;
    const { chance } = this.#dice;
    if (kind === 'history') {
      const type = chance(0.5) ? ' type="deep"' : '';
      const inside = chance(0.8)
        ? `<transition target="${this.#targets(below(node.parent!))}">${this.#content(`=${id}`)}</transition>`
        : '';
      return `<history id="${id}"${type}>${inside}</history>`;
    }
    const isCompound = kind === 'state' && children.length > 0;
    const useElement = isCompound && chance(0.25);
    const initial = useElement
      ? `<initial><transition target="${this.#targets(below(node))}">${this.#content(`>${id}`)}</transition></initial>`
      : '';
    const transitions = Array.from({ length: kind === 'final' ? 0 : this.#dice.below(4) }, () => this.#transition(node)).join('');
    const handlers = `<onentry>${this.#content(`+${id}`)}</onentry><onexit>${this.#content(`-${id}`)}</onexit>`;
    const attribute = isCompound && !useElement ? this.#initialAttribute(node) : '';
    return `<${kind} id="${id}"${attribute}>${initial}${handlers}${transitions}${children.map((child) => this.#node(child)).join('')}</${kind}>`;
  }

  #initialAttribute(node: Node): string {
    return this.#dice.chance(0.6) ? ` initial="${this.#targets(below(node))}"` : '';
  }

  #transition(node: Node): string {
    const { chance, below: belowNumber, pick } = this.#dice;
    const isEventless = chance(0.06);
    const events = Array.from({ length: 1 + belowNumber(2) }, () =>
      chance(0.2) ? `done.state.${pick(this.#nodes).id}` : pick(DESCRIPTORS),
    );
    const others = this.#nodes.slice(1);
    const target = chance(0.75) ? ` target="${this.#targets(chance(0.4) && below(node).length > 0 ? below(node) : others)}"` : '';
    const condition = isEventless || chance(0.4) ? ` cond="${belowNumber(1_000)}"` : '';
    const kind = chance(0.4) ? ' type="internal"' : '';
    return `<transition${isEventless ? '' : ` event="${events.join(' ')}"`}${target}${condition}${kind}>${this.#content('!')}</transition>`;
  }

  /** One target, or some of different regions. */
  #targets(from: readonly Node[]): string {
    const first = this.#dice.pick(from);
    const more = this.#dice.chance(0.3) ? from.filter((node) => areApart(node, first)) : [];
    return [first, ...(more.length > 0 ? [this.#dice.pick(more)] : [])].map(({ id }) => id).join(' ');
  }

  #content(label: string): string {
    const raised = this.#dice.chance(0.05) ? `<raise event="${this.#dice.pick(EVENTS)}"/>` : '';
    return `<log label="${label}"/>${raised}`;
  }
}

const below = (node: Node): readonly Node[] => node.children.flatMap((child) => [child, ...below(child)]);

function pathOf(node: Node): readonly Node[] {
  return node.parent === undefined ? [node] : [...pathOf(node.parent), node];
}

/** Whether both can be active: they meet in a parallel. */
function areApart(one: Node, other: Node): boolean {
  const [a, b] = [pathOf(one), pathOf(other)];
  const index = a.findIndex((node, at) => node !== b[at]);
  return index > 0 && index < b.length && a[index - 1]?.kind === 'parallel';
}
