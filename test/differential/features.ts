// What an XState 5 machine can say, as a list, and how often it was said: XState's own inspection and the functions of a chart count what
// really happened, so that a generator that stops making something is noticed.

import type { HistoryValue, Microstep, Node } from './legal.ts';
import type { View } from './view.ts';

export const FEATURES = [
  // Time
  'after: a fixed delay',
  'after: a named delay',
  'after: a computed delay',
  'raise, delayed',
  'raise, delayed by a name',
  'raise, delayed by a function',
  'cancel of something that waits',
  // Actions
  'assign',
  'raise',
  'raise of a made event',
  'emit',
  'log',
  'log with a label',
  'enqueueActions',
  'params of an action, fixed',
  'params of an action, made',
  // Messages
  'sendTo a child by name',
  'sendTo a child by reference',
  'sendTo a child that its state invokes after',
  'sendTo a child, delayed',
  'sendTo oneself',
  'sendTo oneself, delayed',
  'sendParent',
  'sendParent, delayed',
  'forwardTo',
  // Children
  'spawnChild',
  'stopChild',
  'spawn in assign',
  'spawn of an actor without a name',
  'spawn in the context',
  'input of a child',
  'invoke: kid',
  'invoke: vow',
  'invoke: flow',
  'invoke: tide',
  'invoke: sum',
  'invoke: inner',
  'done: vow',
  'done: flow',
  'done: tide',
  'done: inner',
  'error: kid',
  'error: vow',
  'error: flow',
  'error: tide',
  'error: sum',
  'error: inner',
  'snapshot: flow',
  'snapshot: sum',
  'snapshot: inner',
  'an event of a child: kid',
  'an event of a child: tide',
  'an event of a child: inner',
  // Guards
  'guard: inline',
  'guard: by name',
  'guard: a name for another',
  'guard: params, fixed',
  'guard: params, made',
  'guard: and',
  'guard: or',
  'guard: not',
  'guard: stateIn by id',
  'guard: stateIn by value',
  // Transitions
  'always',
  'reenter',
  'no target',
  'forbidden',
  'several targets',
  'route',
  'route with a guard',
  'wildcard *',
  'wildcard x.*',
  'wildcard x.y.*',
  'a longer wildcard before a shorter',
  'a wildcard after a guard of the exact name refused',
  'initial with actions',
  // History
  'history: shallow, remembered',
  'history: deep, remembered',
  'history: by default, with a target',
  'history: by default, without',
  // Ends
  'final: a compound is done',
  'final: a parallel is done',
  'final: the machine is done',
  'output of a final state',
  'output of the machine',
  'input of the machine',
  // Marks
  'tags',
  'meta',
  // Errors
  'error: a guard throws',
  'error: an action throws',
  'error: sent to nobody',
  'error: of a child, and nothing handles it',
  'saved and loaded',
] as const;
export type Feature = (typeof FEATURES)[number];

export class Features {
  readonly #counts = new Map<Feature, number>();

  saw(feature: Feature, times = 1): void {
    this.#counts.set(feature, (this.#counts.get(feature) ?? 0) + times);
  }

  sawWhen(condition: boolean, feature: Feature): void {
    if (condition) this.saw(feature);
  }

  add(other: Features): void {
    for (const [feature, count] of other.#counts) this.saw(feature, count);
  }

  count(feature: Feature): number {
    return this.#counts.get(feature) ?? 0;
  }

  missing(): Feature[] {
    return FEATURES.filter((feature) => this.count(feature) === 0);
  }

  toJSON(): object {
    return Object.fromEntries(FEATURES.map((feature) => [feature, this.count(feature)]));
  }
}

/** An inspected action of XState's, with what it was resolved to. */
export interface Performed {
  readonly type: string;
  readonly params: unknown;
}

interface Resolved {
  readonly event?: { readonly type: string };
  readonly delay?: number;
  readonly label?: string;
  readonly input?: unknown;
  readonly src?: unknown;
  readonly id?: unknown;
  readonly to?: unknown;
  readonly targetId?: string;
}

/** @param ends the chart itself and its parent, as XState's actors, and the event that the chart got last. */
export function countAction(
  features: Features,
  { type, params }: Performed,
  ends: { readonly self: unknown; readonly parent: unknown; readonly event: unknown },
): void {
  const { event, delay, label, input, src, id, to, targetId } = (params ?? {}) as Resolved;
  switch (type) {
    case 'xstate.raise':
      if (event?.type.startsWith('xstate.after.') === true) return;
      features.saw(delay === undefined ? 'raise' : 'raise, delayed');
      return;
    case 'xstate.emit':
      return features.saw('emit');
    case 'xstate.log':
      return features.saw(label === undefined ? 'log' : 'log with a label');
    case 'xstate.stopChild':
      return features.sawWhen(params !== undefined, 'stopChild');
    case 'xstate.spawnChild':
      features.sawWhen(input !== undefined, 'input of a child');
      // What a state invokes has no place in an action of its author.
      if (typeof id === 'string' && /^kid[12]$/.test(id)) return features.saw('spawnChild');
      return typeof src === 'string' ? features.saw(`invoke: ${src}` as Feature) : undefined;
    case 'xstate.sendTo': {
      if (to === ends.self) return features.saw(delay === undefined ? 'sendTo oneself' : 'sendTo oneself, delayed');
      if (to === ends.parent) return features.saw(delay === undefined ? 'sendParent' : 'sendParent, delayed');
      if (delay !== undefined) return features.saw('sendTo a child, delayed');
      features.sawWhen(event === ends.event, 'forwardTo');
      return features.saw(targetId === undefined ? 'sendTo a child by reference' : 'sendTo a child by name');
    }
    default:
  }
}

export function countView(features: Features, { status, tags, meta, error }: View): void {
  features.sawWhen(tags.length > 0, 'tags');
  features.sawWhen(Object.keys(meta as object).length > 0, 'meta');
  features.sawWhen(status === 'done', 'final: the machine is done');
  features.sawWhen(error?.startsWith('Unable to send') === true, 'error: sent to nobody');
  // What children throw is plain JSON, what functions throw says so in a sentence.
  features.sawWhen(error?.startsWith('ill"') === true, 'error: of a child, and nothing handles it');
}

interface Taken {
  readonly source: Node;
  readonly target?: readonly Node[];
  readonly eventType: string;
  readonly reenter: boolean;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

interface Declared extends Node {
  readonly transitions: ReadonlyMap<string, readonly Taken[]>;
  readonly invoke: readonly { readonly id: string; readonly src: unknown }[];
}

const WILDCARDS = { '*': 'wildcard *', 'x.*': 'wildcard x.*', 'x.y.*': 'wildcard x.y.*' } as const;

/** @param memory what history remembered before. @param sender the logic of the child that sent the event. */
export function countMicrostep(features: Features, step: Microstep, memory: HistoryValue, sender: string | undefined): void {
  const event = (step as unknown as { readonly event: { readonly type: string } }).event;
  for (const transition of step._transitions as unknown as readonly Taken[]) {
    countTransition(features, transition, event.type, memory);
    const { eventType } = transition;
    if (sender === undefined) continue;
    if (eventType.startsWith('xstate.done.actor.')) features.saw(`done: ${sender}` as Feature);
    else if (eventType.startsWith('xstate.error.actor.')) features.saw(`error: ${sender}` as Feature);
    else if (eventType.startsWith('xstate.snapshot.')) features.saw(`snapshot: ${sender}` as Feature);
    else if (event.type === eventType) features.saw(`an event of a child: ${sender}` as Feature);
  }
}

function countTransition(features: Features, transition: Taken, type: string, memory: HistoryValue): void {
  const { source, target, eventType, reenter, guard, actions } = transition;
  features.sawWhen(eventType === '', 'always');
  features.sawWhen(reenter && target !== undefined, 'reenter');
  features.sawWhen(target === undefined && actions.length > 0, 'no target');
  features.sawWhen(target === undefined && actions.length === 0, 'forbidden');
  features.sawWhen((target?.length ?? 0) > 1, 'several targets');
  const after = /^xstate\.after\.(\w+)\./.exec(eventType)?.[1];
  if (after !== undefined)
    features.saw(after === 'soon' ? 'after: a named delay' : after === 'later' ? 'after: a computed delay' : 'after: a fixed delay');
  if (type === 'xstate.route' && eventType === type) {
    features.saw('route');
    // XState joins a route's own guard with the one that asks for its state.
    features.sawWhen(typeof guard === 'function' && 'guards' in guard, 'route with a guard');
    return;
  }
  if (eventType in WILDCARDS) {
    const { transitions } = source as Declared;
    features.saw(WILDCARDS[eventType as keyof typeof WILDCARDS]);
    features.sawWhen((transitions.get(type)?.length ?? 0) > 0, 'a wildcard after a guard of the exact name refused');
    const others = [...transitions.keys()].filter((key) => key in WILDCARDS && key.length < eventType.length);
    features.sawWhen(others.length > 0, 'a longer wildcard before a shorter');
  }
  countGuard(features, guard);
  for (const node of target ?? []) if (node.type === 'history') countHistory(features, node, memory);
  if (eventType.startsWith('xstate.done.state.'))
    features.saw(source.type === 'parallel' ? 'final: a parallel is done' : 'final: a compound is done');
}

function countGuard(features: Features, guard: unknown): void {
  if (typeof guard === 'function') features.saw('guard: inline');
  const name = typeof guard === 'object' && guard !== null ? (guard as { readonly type: string }).type : guard;
  if (typeof name !== 'string') return;
  features.sawWhen(/^g\d$/.test(name), 'guard: by name');
  if (name === 'alias') features.saw('guard: a name for another');
  if (name === 'both') features.saw('guard: and');
  if (name === 'either') features.saw('guard: or');
  if (name === 'neither') features.saw('guard: not');
  if (name === 'inOne') features.saw('guard: stateIn by id');
  if (name === 'inValue') features.saw('guard: stateIn by value');
  if (name === 'parametric')
    features.saw(typeof (guard as { readonly params?: unknown }).params === 'function' ? 'guard: params, made' : 'guard: params, fixed');
}

function countHistory(features: Features, node: Node, memory: HistoryValue): void {
  const { history } = node as unknown as { readonly history: 'deep' | 'shallow' };
  if (memory[node.id] !== undefined) features.saw(history === 'deep' ? 'history: deep, remembered' : 'history: shallow, remembered');
  else features.saw(node.config.target === undefined ? 'history: by default, without' : 'history: by default, with a target');
}
