// An XState machine as a chart that the core can run: its tree of state nodes written as a definition, and what each number in the image
// stands for. The core gets the structure only; each list of actions is one host function, because XState resolves what is in it.

import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { FUEL_MAX } from '../../assembly/layout.ts';
import { eventResolver } from '../../core/descriptor.ts';
import { compile, type Image } from '../compile.ts';
import type {
  ActionDefinition,
  Definition,
  HistoryDefinition,
  NodeDefinition,
  StateDefinition,
  TransitionDefinition,
} from '../definition.ts';
import { pointerToken, statePath } from '../dialects/xstate5-targets.ts';
import { unsupported } from '../tree.ts';
import { spawnsOf, stopsOf } from './builtins.ts';

/** What the core asks the host for, by function number. */
export type HostFunction =
  | {
      readonly kind: 'enter';
      readonly node: AnyStateNode;
      /** Actions that start what it invokes, behind its entry actions. */
      readonly spawns: readonly unknown[];
      readonly invoked: readonly string[];
    }
  /** Actions that stop what it invokes, behind its exit actions; not when it is left active by a machine that is done. */
  | { readonly kind: 'leave'; readonly node: AnyStateNode; readonly stops: readonly unknown[] }
  | { readonly kind: 'initial'; readonly node: AnyStateNode }
  | { readonly kind: 'transition'; readonly transition: AnyTransitionDefinition }
  | { readonly kind: 'guard'; readonly transition: AnyTransitionDefinition; readonly isEventless: boolean }
  | { readonly kind: 'output'; readonly node: AnyStateNode };

export class Chart {
  readonly image: Image;
  /** Microsteps of one macrostep: the machine's own limit, or what an image can hold. */
  readonly fuel: number;
  /** By state number, in document order. */
  readonly nodes: readonly AnyStateNode[];
  /** By history number. */
  readonly histories: readonly AnyStateNode[];
  /** By function number. */
  readonly functions: readonly HostFunction[];
  /** By transition number; undefined for what no event selects. */
  readonly transitions: readonly (AnyTransitionDefinition | undefined)[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #histories = new Map<string, number[]>();
  readonly #eventNumber: (type: string) => number;

  /** @throws LockstepError BAD_DEFINITION or UNSUPPORTED, naming machine, path and reason. */
  constructor(machine: AnyStateMachine) {
    const author = new Author(machine);
    const { maxIterations = Infinity } = machine.options ?? {};
    this.fuel = Math.max(1, Math.min(maxIterations, FUEL_MAX));
    this.image = compile(author.definition(), { fuel: Math.floor(this.fuel), onThrow: 'status' });
    const { symbols, transitionPaths } = this.image;
    const node = ({ id }: { readonly id: string }): AnyStateNode => author.nodes.get(id)!;
    this.nodes = symbols.states.map(node);
    this.histories = symbols.histories.map(node);
    this.functions = symbols.functions.map(({ path }) => author.functions.get(path)!);
    this.transitions = transitionPaths.map((path) => author.transitions.get(path));
    this.#numbers = new Map(symbols.states.map(({ id }, number) => [id, number]));
    this.histories.forEach(({ parent }, history) => this.#histories.set(parent!.id, [...this.historiesOf(parent!), history]));
    this.#eventNumber = eventResolver(symbols.events);
  }

  /** The state number of a node, of this machine or of one made from the same config. */
  numberOf({ id }: AnyStateNode): number | undefined {
    return this.#numbers.get(id);
  }

  /** Numbers of the history nodes directly inside a state. */
  historiesOf({ id }: AnyStateNode): readonly number[] {
    return this.#histories.get(id) ?? [];
  }

  /** What is not named by a string can only be meant by `*`. */
  eventNumber(type: unknown): number {
    return this.#eventNumber(typeof type === 'string' ? type : '*');
  }
}

/** Writes the definition. Paths are JSON pointers into the tree of nodes: `/states/a/on/E/0/guard`. */
class Author {
  readonly nodes = new Map<string, AnyStateNode>();
  readonly functions = new Map<string, HostFunction>();
  readonly transitions = new Map<string, AnyTransitionDefinition>();
  readonly #machine: AnyStateMachine;

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  definition(): Definition {
    const { id, root } = this.#machine;
    return { id, dialect: 'xstate5', root: this.#state(root, ''), context: { value: null } };
  }

  #state(node: AnyStateNode, path: string): StateDefinition {
    const { key, id, type, output, parent, tags } = node;
    if (type === 'history') throw unsupported(this.#machine.id, path, 'a history node cannot be the root');
    this.nodes.set(id, node);
    const children = Object.values(node.states) as AnyStateNode[];
    const invoked = node.invoke.map((invoke) => invoke.id);
    const initial = this.#initial(node, `${path}/initial`);
    return {
      kind: type,
      key,
      id,
      path,
      children: children.map((child) => this.#node(child, `${path}/states/${pointerToken(child.key)}`)),
      ...(initial === undefined ? {} : { initial }),
      // Also where there are none: XState looks at a node's actions when it runs them, and tools add some.
      entry: this.#list(`${path}/entry`, { kind: 'enter', node, spawns: spawnsOf(node), invoked }),
      exit: this.#list(`${path}/exit`, { kind: 'leave', node, stops: stopsOf(node) }),
      on: [...node.transitions].map(([descriptor, transitions]) => ({
        descriptor,
        transitions: transitions.map((transition, index) =>
          this.#transition(transition, `${path}/on/${pointerToken(descriptor)}/${index}`, false),
        ),
      })),
      always: (node.always ?? []).map((transition, index) => this.#transition(transition, `${path}/always/${index}`, true)),
      timers: [],
      // No done event carries the output of a final state right inside a parallel.
      ...(output === undefined || parent?.type === 'parallel' ? {} : { output: this.#function('output', `${path}/output`, node) }),
      tags,
    };
  }

  #node(node: AnyStateNode, path: string): NodeDefinition {
    return node.type === 'history' ? this.#history(node, path) : this.#state(node, path);
  }

  #history(node: AnyStateNode, path: string): HistoryDefinition {
    const { key, id, history, config, parent } = node;
    this.nodes.set(id, node);
    const { target } = config as { readonly target?: unknown };
    const targets = (target === undefined || target === '' ? [] : [target].flat()).map((each) => this.#inside(parent!, each).id);
    return { kind: 'history', key, id, path, deep: history === 'deep', ...(targets.length === 0 ? {} : { targets }) };
  }

  /** A history default: a node, `#id`, or keys from the parent down. */
  #inside(parent: AnyStateNode, target: unknown): AnyStateNode {
    if (typeof target !== 'string') return target as AnyStateNode;
    if (target.startsWith('#')) return this.#machine.getStateNodeById(target) as AnyStateNode;
    return statePath(target).reduce<AnyStateNode>((node, key) => (key === '' ? node : (node.states[key] as AnyStateNode)), parent);
  }

  #initial(node: AnyStateNode, path: string): TransitionDefinition | undefined {
    const { target, actions } = node.initial;
    if (node.type !== 'compound') {
      if (actions.length > 0) throw unsupported(this.#machine.id, path, `initial actions of a state that is ${node.type}`);
      return undefined;
    }
    const targets = target.map(({ id }: AnyStateNode) => id);
    return { path, targets, reenter: false, actions: actions.length === 0 ? [] : this.#list(`${path}/actions`, { kind: 'initial', node }) };
  }

  #transition(transition: AnyTransitionDefinition, path: string, isEventless: boolean): TransitionDefinition {
    const { target, reenter, guard, actions } = transition;
    this.transitions.set(path, transition);
    const asked: HostFunction = { kind: 'guard', transition, isEventless };
    if (guard !== undefined) this.functions.set(`${path}/guard`, asked);
    return {
      path,
      targets: (target ?? []).map(({ id }: AnyStateNode) => id),
      reenter,
      ...(guard === undefined ? {} : { guard: { kind: 'function', function: { kind: 'guard', path: `${path}/guard` } } }),
      actions: actions.length === 0 ? [] : this.#list(`${path}/actions`, { kind: 'transition', transition }),
    };
  }

  /** One host function for the whole list. */
  #list(path: string, list: HostFunction): ActionDefinition[] {
    this.functions.set(path, list);
    return [{ kind: 'builtin', function: { kind: 'builtin', path } }];
  }

  #function(kind: 'output', path: string, node: AnyStateNode): { readonly kind: 'output'; readonly path: string } {
    this.functions.set(path, { kind, node });
    return { kind, path };
  }
}
