// A machine as a chart, read from its config in XState 5's shape as inspectors get it: functions are `{ type }`, deep parts may be cut off.
// It is another program's text, so nothing in it is taken for granted: what is not understood is left out, and there is always a root.

import { isFields, type Fields } from '../../core/fields.ts';
import { referenceName } from '../../core/source.ts';
import { type ChartShape, type ChartState, type ChartStateKind, type ChartTransition, describeTransition, pathOf } from './chart.ts';

/** More cannot be drawn anyway. */
const STATE_MAX = 2_000;
const TRANSITION_MAX = 5_000;
/** States inside each other. */
const DEPTH_MAX = 64;

interface Node {
  readonly config: Fields;
  readonly state: number;
}

export class DefinitionChart implements ChartShape {
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
  readonly #children: readonly ReadonlyMap<string, number>[];
  readonly #ids: ReadonlyMap<string, number>;

  /** @param definition JSON text of a config; without one, or when it is none, the actor is one box. */
  constructor(definition: string | undefined, name: string) {
    const reader = new Reader(parse(definition), name);
    this.states = reader.states;
    this.transitions = reader.transitions;
    this.#children = reader.children;
    this.#ids = reader.ids;
  }

  path(state: number): string {
    return pathOf(this.states, state);
  }

  describe(transition: number): string {
    return describeTransition(this, this.transitions[transition]!);
  }

  timerName(timer: number): string {
    return `timer ${timer}`;
  }

  /** States that are active in a state value of XState, the root always; what the definition does not name is passed over. */
  active(value: unknown): ReadonlySet<number> {
    const active = new Set([0]);
    const enter = (state: number, inner: unknown): void => {
      const keys = typeof inner === 'string' ? [inner] : isFields(inner) ? Object.keys(inner) : [];
      for (const key of keys) {
        const child = this.#children[state]?.get(key);
        if (child === undefined) continue;
        active.add(child);
        if (isFields(inner)) enter(child, inner[key]);
      }
    };
    enter(0, value);
    return active;
  }

  /** The state with this id. */
  withId(id: string): number | undefined {
    return this.#ids.get(id);
  }
}

function parse(definition: string | undefined): Fields {
  try {
    const parsed: unknown = JSON.parse(definition ?? '{}');
    return isFields(parsed) ? parsed : {};
  } catch {
    return {}; // Cut off by its sender: the actor is drawn as one box.
  }
}

class Reader {
  readonly states: ChartState[] = [];
  readonly transitions: ChartTransition[] = [];
  readonly children: Map<string, number>[] = [];
  readonly ids = new Map<string, number>();
  readonly #nodes: Node[] = [];
  readonly #histories = new Map<string, string>();

  constructor(root: Fields, name: string) {
    const id = text(root['id']) ?? name;
    this.#readState(root, { key: id, id, parent: -1, depth: 0 });
    for (const node of this.#nodes) this.#readTransitions(node);
  }

  // ── States ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param at `id` is XState's default: the machine's id and the keys on the way, joined by dots. */
  #readState(config: Fields, at: Pick<ChartState, 'key' | 'id' | 'parent' | 'depth'>): void {
    const number = this.states.length;
    const { key, parent, depth } = at;
    const id = text(config['id']) ?? at.id;
    this.ids.set(id, number);
    const children = isFields(config['states']) ? Object.entries(config['states']) : [];
    this.states.push({
      number,
      key,
      id,
      kind: kindOf(config, children.length > 0),
      parent,
      end: number,
      depth,
      tags: tagsOf(config['tags']),
    });
    this.children.push(new Map());
    this.#nodes.push({ config, state: number });
    if (depth < DEPTH_MAX)
      for (const [childKey, child] of children) {
        this.#readChild(child, { key: childKey, id: `${at.id}.${childKey}`, parent: number, depth: depth + 1 });
      }
    this.states[number] = { ...this.states[number]!, end: this.states.length - 1 };
  }

  #readChild(given: unknown, at: Pick<ChartState, 'key' | 'id' | 'parent' | 'depth'>): void {
    const config = isFields(given) ? given : {};
    const history = config['type'] === 'history' || config['history'] !== undefined;
    if (history) this.#histories.set(text(config['id']) ?? at.id, at.key);
    if (history || this.states.length >= STATE_MAX) return;
    this.children[at.parent]!.set(at.key, this.states.length);
    this.#readState(config, at);
  }

  // ── Transitions ────────────────────────────────────────────────────────────────────────────────────────────────

  #readTransitions({ config, state }: Node): void {
    const { id } = this.states[state]!;
    this.#add(state, 'always', config['always']);
    for (const [event, given] of fieldsOf(config['on'])) this.#add(state, event, given);
    for (const [delay, given] of fieldsOf(config['after'])) this.#add(state, `xstate.after.${delay}.${id}`, given);
    this.#add(state, `xstate.done.state.${id}`, config['onDone']);
    listOf(config['invoke']).forEach((invoke, index) => {
      if (!isFields(invoke)) return;
      const actor = text(invoke['id']) ?? `${index}.${id}`;
      this.#add(state, `xstate.done.actor.${actor}`, invoke['onDone']);
      this.#add(state, `xstate.error.actor.${actor}`, invoke['onError']);
      this.#add(state, `xstate.snapshot.${actor}`, invoke['onSnapshot']);
    });
  }

  #add(source: number, event: string, given: unknown): void {
    if (given === undefined || given === null) return;
    for (const transition of listOf(given)) {
      if (this.transitions.length >= TRANSITION_MAX) return;
      const { target, guard } = isFields(transition) ? transition : { target: transition, guard: undefined };
      const targets = listOf(target).flatMap((name) => (typeof name === 'string' && name !== '' ? [this.#target(source, name)] : []));
      this.transitions.push({ number: this.transitions.length, source, event, targets, guard: guardName(guard) });
    }
  }

  /** As the chart calls it where it can be found, else as the author did. */
  #target(source: number, name: string): string {
    if (name.startsWith('#')) {
      const [id = '', ...rest] = this.#splitId(name.slice(1));
      const state = this.ids.get(id);
      return state === undefined ? (this.#histories.get(name.slice(1)) ?? name) : this.#descend(state, rest.join('.'), name);
    }
    if (name.startsWith('.')) return this.#descend(source, name.slice(1), name);
    return this.#descend(Math.max(0, this.states[source]!.parent), name, name);
  }

  /** An id may have dots in it: the longest that is known, and what follows. */
  #splitId(text: string): string[] {
    const parts = text.split('.');
    for (let count = parts.length; count > 0; count--) {
      const id = parts.slice(0, count).join('.');
      if (this.ids.has(id)) return [id, ...parts.slice(count)];
    }
    return [text];
  }

  #descend(from: number, path: string, name: string): string {
    let state = from;
    for (const key of path === '' ? [] : path.split('.')) {
      const child = this.children[state]?.get(key);
      if (child === undefined) return name;
      state = child;
    }
    return pathOf(this.states, state);
  }
}

function kindOf(config: Fields, hasChildren: boolean): ChartStateKind {
  if (config['type'] === 'parallel') return 'parallel';
  if (config['type'] === 'final') return 'final';
  return hasChildren ? 'compound' : 'atomic';
}

function guardName(guard: unknown): string | undefined {
  return guard === undefined || guard === null ? undefined : referenceName(guard) || 'guard';
}

function tagsOf(tags: unknown): string[] {
  return listOf(tags).filter((tag): tag is string => typeof tag === 'string');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly unknown[]) : [value];
}

function fieldsOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isFields(value) ? Object.entries(value) : [];
}
