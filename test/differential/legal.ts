// Where XState itself goes astray: sets of nodes that are no configuration, and the one way in which it gets there. Charts that meet it are
// compared no further.

export interface Node {
  readonly id: string;
  readonly key: string;
  readonly config: { readonly target?: string };
  readonly type: string;
  readonly order: number;
  readonly parent: Node | undefined;
  /** Without targets in a parallel. */
  readonly initial?: { readonly target: readonly Node[] };
  readonly states: { readonly [key: string]: Node };
}
export type HistoryValue = { readonly [id: string]: readonly Node[] };
export interface Microstep {
  readonly type: string;
  readonly snapshot: { readonly historyValue: HistoryValue };
  readonly _transitions: readonly { readonly source: Node; readonly target?: readonly Node[] }[];
}
export function nodesOf(snapshot: unknown): readonly Node[] {
  return (snapshot as { readonly _nodes: readonly Node[] })._nodes;
}

/**
 * Whether a transition resolved to its own source through a history node, beside another transition or from further up. Of a leaf it leaves
 * nothing and escapes XState's conflict removal, and of any state it enters regions that were not left; whether the outcome is a configuration
 * is luck. We count two such transitions as in conflict when one leaves the leaf's parent, and leave active regions alone.
 */
export function escapesConflict({ _transitions }: Microstep, memory: HistoryValue): boolean {
  const isEscape = (source: Node, target: Node): boolean => {
    if (target.type !== 'history' || (_transitions.length === 1 && target.parent === source.parent)) return false;
    const [remembered, ...more] = memory[target.id] ?? [];
    if (remembered === undefined) return defaultOf(target) === source.key;
    return remembered === source && more.length === 0;
  };
  return _transitions.some(({ source, target }) => (target ?? []).some((node) => isEscape(source, node)));
}

/** The key of what a history node stands for while it remembers nothing: its own target, or where its parent begins. */
function defaultOf({ config, parent }: Node): string | undefined {
  return config.target?.split('.').at(-1) ?? parent?.initial?.target[0]?.key;
}

/** Parents are active; a compound has one active child, a parallel all of them. */
export function isLegal(nodes: readonly Node[]): boolean {
  const active = new Set(nodes);
  return nodes.every((node) => {
    if (node.parent !== undefined && !active.has(node.parent)) return false;
    const children = Object.values(node.states).filter(({ type }) => type !== 'history');
    const count = children.filter((child) => active.has(child)).length;
    if (node.type === 'parallel') return count === children.length;
    return node.type !== 'compound' || count === 1;
  });
}
