// The dialect of XState 5: reads the config of createMachine() or setup().createMachine(), or plain JSON in the same shape, into the neutral
// definition. XState's StateNode and formatTransitions say what a config means; docs/definitions.md says what is taken and what refused.
// The raw config is walked, not XState's own nodes, because every function is bound by its place in what the author wrote.

import { describe, isFields, type Fields } from '../../core/fields.ts';
import { invokeId, invokesOf, readSource, sourceId } from '../../core/source.ts';
import type {
  Definition,
  HistoryDefinition,
  NodeDefinition,
  StateDefinition,
  TimerDefinition,
  TransitionDefinition,
} from '../definition.ts';
import { bad, unsupported } from '../tree.ts';
import { Functions } from './xstate5-functions.ts';
import { describeConfig } from './xstate5-source.ts';
import { pointerToken, readTree, type ConfigNode, type Targets } from './xstate5-targets.ts';

/**
 * Reads an XState 5 machine, `{ config, implementations }` or a bare config.
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, NOT_JSON or MISSING_FUNCTION, naming machine, path and reason.
 */
export function fromXState(machine: unknown): Definition {
  const source = readSource(machine);
  const id = sourceId(source);
  const targets = readTree(id, source.config);
  const functions = new Functions(id, source, targets);
  const fuel = isFields(source.config.options) ? source.config.options.maxIterations : undefined;
  return {
    id,
    dialect: 'xstate5',
    root: new Reader(id, targets, functions).state(targets.root),
    context: functions.context(source.config.context),
    ...(typeof fuel === 'number' && Number.isInteger(fuel) ? { fuel } : {}),
    source: describeConfig(source.config),
  };
}

const ACTOR_EVENTS = [
  ['onDone', 'done.actor'],
  ['onError', 'error.actor'],
  ['onSnapshot', 'snapshot'],
] as const;

class Reader {
  readonly #machine: string;
  readonly #targets: Targets;
  readonly #functions: Functions;

  constructor(machine: string, targets: Targets, functions: Functions) {
    this.#machine = machine;
    this.#targets = targets;
    this.#functions = functions;
  }

  state(node: ConfigNode): StateDefinition {
    const { config, key, id, path, kind, parent } = node;
    if (kind === 'history') throw bad(this.#machine, path, 'expected a state, found a history node');
    const initial = this.#initial(node);
    const { timers, delayed } = this.#after(node);
    const output = kind === 'final' || parent === undefined ? this.#functions.output(config.output, `${path}/output`) : undefined;
    return {
      kind,
      key,
      id,
      path,
      children: [...node.children.values()].map((child): NodeDefinition =>
        child.kind === 'history' ? this.#history(child) : this.state(child),
      ),
      ...(initial === undefined ? {} : { initial }),
      entry: this.#functions.actions(config.entry, `${path}/entry`),
      exit: this.#functions.actions(config.exit, `${path}/exit`),
      on: this.#on(node, delayed),
      always: config.always ? this.#transitions(node, config.always, `${path}/always`) : [],
      timers,
      invokes: this.#functions.invokes(config.invoke, `${path}/invoke`),
      // XState never asks for the output of a final state right inside a parallel: no done event carries it.
      ...(output === undefined || parent?.kind === 'parallel' ? {} : { output }),
      tags: this.#tags(config.tags, `${path}/tags`),
      ...(typeof config.description === 'string' ? { description: config.description } : {}),
      ...(config.meta === undefined ? {} : { meta: describeConfig(config.meta) }),
    };
  }

  #history({ config, key, id, path, parent }: ConfigNode): HistoryDefinition {
    const node = { config, key, id, path, kind: 'history' as const, parent, children: new Map<string, ConfigNode>() };
    const targets = list(config.target).map((target) => this.#targets.fromParent(node, target, `${path}/target`).id);
    return { kind: 'history', key, id, path, deep: config.history === 'deep', ...(targets.length === 0 ? {} : { targets }) };
  }

  /** A key of a direct child, or `{ target, actions }`. */
  #initial({ config, kind, path, id, children }: ConfigNode): TransitionDefinition | undefined {
    const { initial } = config;
    const place = `${path}/initial`;
    if (kind !== 'compound') {
      if (isFields(initial) && initial.actions !== undefined) throw unsupported(this.#machine, place, `initial actions of a ${kind} state`);
      return undefined;
    }
    const target = isFields(initial) ? initial.target : initial;
    if (typeof target !== 'string')
      throw bad(this.#machine, place, `the compound state '${id}' must say its initial state, found ${describe(initial)}`);
    const child = children.get(target);
    if (child === undefined) throw bad(this.#machine, place, `'${id}' has no child state '${target}'`);
    const actions = isFields(initial) ? this.#functions.actions(initial.actions, `${place}/actions`) : [];
    return { path: place, targets: [child.id], reenter: false, actions };
  }

  /** `on` first, then onDone (which replaces an `on` key of the same name), then `after`: XState's formatTransitions. */
  #on(node: ConfigNode, delayed: ReadonlyMap<string, readonly TransitionDefinition[]>): StateDefinition['on'] {
    const { config, path, id } = node;
    const on = new Map<string, readonly TransitionDefinition[]>();
    if (config.on !== undefined && !isFields(config.on))
      throw bad(this.#machine, `${path}/on`, `expected an object, found ${describe(config.on)}`);
    for (const [descriptor, transitions] of Object.entries(config.on ?? {})) {
      if (descriptor === '')
        throw bad(this.#machine, `${path}/on/`, 'an event needs a name; eventless transitions are written as `always`');
      on.set(descriptor, this.#transitions(node, transitions, `${path}/on/${pointerToken(descriptor)}`));
    }
    if (config.onDone) on.set(`xstate.done.state.${id}`, this.#transitions(node, config.onDone, `${path}/onDone`));
    for (const [event, transitions] of this.#actorEvents(node)) on.set(event, transitions);
    for (const [event, transitions] of delayed) on.set(event, [...(on.get(event) ?? []), ...transitions]);
    if (node.parent === undefined) {
      const routes = this.#routes(node);
      if (routes.length > 0) on.set('xstate.route', routes);
    }
    return [...on].map(([descriptor, transitions]) => ({ descriptor, transitions }));
  }

  /** onDone, onError and onSnapshot of what the state invokes. */
  *#actorEvents(node: ConfigNode): Iterable<readonly [string, readonly TransitionDefinition[]]> {
    const { config, path, id } = node;
    for (const [index, invoke] of invokesOf(config).entries()) {
      const place = Array.isArray(config.invoke) ? `${path}/invoke/${index}` : `${path}/invoke`;
      for (const [key, event] of ACTOR_EVENTS) {
        if (invoke[key]) yield [`xstate.${event}.${invokeId(invoke, index, id)}`, this.#transitions(node, invoke[key], `${place}/${key}`)];
      }
    }
  }

  /** A state with an id and a `route` is a target of `xstate.route` events, from everywhere. */
  #routes(root: ConfigNode): TransitionDefinition[] {
    const routes: TransitionDefinition[] = [];
    const collect = (node: ConfigNode): void => {
      for (const child of node.children.values()) {
        const { route } = child.config;
        if (isFields(route) && typeof child.config.id === 'string') routes.push(this.#route(root, child, route));
        collect(child);
      }
    };
    collect(root);
    return routes;
  }

  #route(root: ConfigNode, node: ConfigNode, route: Fields): TransitionDefinition {
    const path = `${node.path}/route`;
    this.#functions.guard(route.guard, `${path}/guard`);
    return {
      path,
      targets: [this.#targets.resolve(root, `#${node.id}`, path).id],
      reenter: route.reenter === true,
      guard: { kind: 'function', function: { kind: 'guard', path } },
      actions: this.#functions.actions(route.actions, `${path}/actions`),
    };
  }

  #after(node: ConfigNode): { timers: TimerDefinition[]; delayed: Map<string, TransitionDefinition[]> } {
    const { config, id } = node;
    const timers: TimerDefinition[] = [];
    const delayed = new Map<string, TransitionDefinition[]>();
    const after = config.after ?? {};
    if (!isFields(after)) throw bad(this.#machine, `${node.path}/after`, `expected an object, found ${describe(after)}`);
    for (const [key, transitions] of Object.entries(after)) {
      const path = `${node.path}/after/${pointerToken(key)}`;
      const named = Number.isNaN(Number(key));
      const event = `xstate.after.${named ? key : Number(key)}.${id}`;
      if (delayed.has(event)) throw bad(this.#machine, path, `another key of this after has the same delay`);
      if (Array.isArray(transitions) && !transitions.every(isFields))
        throw bad(this.#machine, path, 'expected transition objects in the array');
      timers.push({ event, delay: named ? this.#functions.delay(key, path) : this.#functions.milliseconds(Number(key), path) });
      delayed.set(event, transitions === undefined ? [] : this.#transitions(node, transitions, path));
    }
    return { timers, delayed };
  }

  #transitions(node: ConfigNode, transitions: unknown, path: string): TransitionDefinition[] {
    if (!Array.isArray(transitions)) return [this.#transition(node, transitions, path)];
    return transitions.map((transition, index) => this.#transition(node, transition, `${path}/${index}`));
  }

  /** A target, nothing (which forbids the event), or `{ target, guard, actions, reenter }`. */
  #transition(node: ConfigNode, transition: unknown, path: string): TransitionDefinition {
    const isShort = transition === undefined || typeof transition === 'string';
    const config: unknown = isShort ? { target: transition } : transition;
    if (!isFields(config)) throw bad(this.#machine, path, `expected a transition, found ${describe(config)}`);
    for (const old of ['cond', 'in']) {
      if (config[old] !== undefined) throw bad(this.#machine, `${path}/${old}`, `'${old}' is XState 4; say guard`);
    }
    const place = isShort ? path : `${path}/target`;
    const guard = this.#functions.guard(config.guard, `${path}/guard`);
    return {
      path,
      targets: list(config.target).map((target) => this.#targets.resolve(node, target, place).id),
      reenter: config.reenter === true,
      ...(guard === undefined ? {} : { guard }),
      actions: this.#functions.actions(config.actions, `${path}/actions`),
    };
  }

  #tags(tags: unknown, path: string): string[] {
    const all = tags === undefined ? [] : Array.isArray(tags) ? tags : [tags];
    return all.map((tag: unknown) => {
      if (typeof tag !== 'string') throw bad(this.#machine, path, `a tag must be a string, found ${describe(tag)}`);
      return tag;
    });
  }
}

/** XState's normalizeTarget: nothing and '' mean no target. */
function list(target: unknown): readonly unknown[] {
  if (target === undefined || target === '') return [];
  return Array.isArray(target) ? target : [target];
}
