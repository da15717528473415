// Charts in no library's own form: what the benches run, said once, so that every library gets the same states, targets, guards and
// assignments. bench/machines.ts has the charts, bench/peers.ts what each library makes of them.

export type Context = Readonly<Record<string, unknown>>;

export interface Branch {
  /** The key of a sibling, or `#` and the path of any state: its keys from below the root, joined by dots. */
  readonly target: string;
  readonly guard?: (context: Context) => boolean;
  /** What it changes in the context. */
  readonly assign?: (context: Context) => Context;
}

export interface Chart {
  /** The key of the child that is entered by default; a state without one whose children exist is parallel. */
  readonly initial?: string;
  readonly states?: Readonly<Record<string, Chart>>;
  /** One transition an event; a string is its target. */
  readonly on?: Readonly<Record<string, string | Branch>>;
}

export interface Subject {
  readonly id: string;
  readonly context: Context;
  readonly chart: Chart;
  /** One round of events, made beforehand; rounds follow one another. */
  readonly events: readonly { readonly type: string }[];
}

export function branch(transition: string | Branch): Branch {
  return typeof transition === 'string' ? { target: transition } : transition;
}

export function isParallel(chart: Chart): boolean {
  return chart.states !== undefined && chart.initial === undefined;
}

/** No state contains another: what libraries without hierarchy can run. */
export function isFlat({ chart }: Subject): boolean {
  return chart.initial !== undefined && Object.values(chart.states ?? {}).every(({ states }) => states === undefined);
}

/** The path that a target of the state at `path` means. */
export function targetPath(path: readonly string[], target: string): string {
  return target.startsWith('#') ? target.slice(1) : [...path.slice(0, -1), target].join('.');
}

/** The leaves of a state value as XState writes it, as sorted paths: in this form all libraries are compared. */
export function leaves(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return [path + value];
  const entries = Object.entries(value as Record<string, unknown>);
  return entries
    .flatMap(([key, inner]) =>
      typeof inner === 'object' && Object.keys(inner as object).length === 0 ? [path + key] : leaves(inner, `${path}${key}.`),
    )
    .sort();
}
