// Random charts with every feature that the dialect takes. A chart is an XState config whose functions look at all they are given: each
// guard, assign, delay, output and made event is a hash of context and event, so a function that saw something else decides otherwise.
// `withActors` adds what reaches beyond the instance: child actors, delayed and emitted events, actions chosen at run time.

import { printsAs } from '../support/print-config.ts';
import type { Random } from '../support/random.ts';
import type { Feature } from './features.ts';
import { effect, mix, type Given, type Log } from './log.ts';
import { actors, FROM_CHILDREN, randomInvoke, randomOutward, randomTelling, type Outward } from './outward.ts';
import type { XState } from './oracle.ts';

type Fields = Record<string, unknown>;
export interface Chart {
  readonly config: Fields;
  readonly implementations: { readonly guards: Fields; readonly actions: Fields; readonly delays: Fields; readonly actors: Fields };
  /** Event types worth sending. */
  readonly types: readonly string[];
  /** What `xstate.route` events may name. */
  readonly routes: readonly string[];
}

const TYPES = ['E0', 'E1', 'E2', 'E3', 'x.a', 'x.y', 'x.y.z'];
const DESCRIPTORS = [...TYPES, ...TYPES, 'x.*', 'x.y.*', '*'];
const GUARDS = ['g0', 'g1', 'g2', 'parametric', 'parametric', 'alias', 'composed', 'inOne', 'inValue', 'both', 'either', 'neither'];
/** What `always` and done states lead to changes the context, so that a guard that looked at it decides anew. */
const DAMPED = 0.95;

/** A node of the tree before transitions are written into it. */
interface Node {
  readonly config: Fields;
  readonly parent: Node | undefined;
  readonly key: string;
  readonly id: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly children: Node[];
}

export interface ChartOptions {
  readonly withActors?: boolean;
}

export function randomChart(random: Random, xstate: XState, log: Log, options: ChartOptions = {}): Chart {
  return new Author(random, xstate, log, options).chart();
}

class Author {
  readonly #random: Random;
  readonly #xstate: XState;
  readonly #log: Log;
  readonly #nodes: Node[] = [];
  /** Now and then more than 32 and more than 64 states: configurations of two and three words. */
  readonly #stateMax: number;
  readonly #outward: Outward | undefined;
  /** Whether functions throw now and then. */
  readonly #isIll: boolean;
  readonly #routes: string[] = [];
  #effects = 0;

  constructor(random: Random, xstate: XState, log: Log, { withActors }: ChartOptions) {
    this.#random = random;
    this.#xstate = xstate;
    this.#log = log;
    this.#stateMax = random.pick([8, 24, 24, 24, 40, 70]);
    this.#outward = withActors === true ? { random, xstate, log } : undefined;
    this.#isIll = withActors === true && random.chance(0.3);
  }

  chart(): Chart {
    const { below, chance } = this.#random;
    const root = this.#node(undefined, 'm', chance(0.2) ? 'parallel' : 'compound');
    this.#grow(root, 0);
    for (const node of this.#nodes) this.#write(node);
    Object.assign(root.config, {
      id: 'm',
      options: { maxIterations: 60 },
      context: chance(0.5) ? { n: below(5), list: [] } : this.#contextFactory(),
    });
    if (chance(0.5)) root.config.output = this.#output('output of the machine');
    return { config: root.config, implementations: this.#implementations(), types: [...TYPES, 'x', 'x.q', 'never'], routes: this.#routes };
  }

  #contextFactory(): unknown {
    const { features } = this.#log;
    const spawns = this.#outward !== undefined && this.#random.chance(0.3);
    const salt = this.#random.below(1000);
    return printsAs(
      `({ input, spawn }) => ({ n: input?.n ?? 3, list: ['made']${spawns ? ", named: spawn('kid', …)" : ''} })`,
      (given: Fields) => {
        const { input, spawn } = given as { readonly input?: { n: number }; spawn(src: string, options: object): unknown };
        features.sawWhen(input !== undefined, 'input of the machine');
        features.sawWhen(spawns, 'spawn in the context');
        return { n: input?.n ?? 3, list: ['made'], ...(spawns ? { named: spawn('kid', { id: 'kid1', input: salt }) } : {}) };
      },
    );
  }

  // ── The tree ───────────────────────────────────────────────────────────────────────────────────────────────────

  #node(parent: Node | undefined, key: string, kind: Node['kind']): Node {
    const ownId = parent !== undefined && this.#random.chance(0.15) ? `own${this.#nodes.length}` : undefined;
    const id = ownId ?? (parent === undefined ? key : [...pathOf(parent), key].join('.'));
    const node: Node = { config: ownId === undefined ? {} : { id: ownId }, parent, key, id, kind, children: [] };
    this.#nodes.push(node);
    return node;
  }

  #grow(node: Node, depth: number): void {
    const { below, chance, pick } = this.#random;
    if (node.kind === 'parallel') node.config.type = 'parallel';
    if (node.kind === 'final') node.config.type = 'final';
    if (node.kind !== 'compound' && node.kind !== 'parallel') return;
    const states: Fields = {};
    node.config.states = states;
    const count = 2 + below(this.#stateMax > 30 ? 5 : 3);
    // Now and then regions that come to their end together.
    const closes = node.kind === 'parallel' && chance(0.3);
    for (let i = 0; i < count; i += 1) {
      const key = chance(0.1) ? String(9 - i) : `s${i}`;
      const kinds: readonly Node['kind'][] =
        depth >= 3 || this.#nodes.length > this.#stateMax ? ['atomic'] : ['atomic', 'atomic', 'compound', 'compound', 'parallel'];
      const kind = (i > 0 && chance(0.2)) || (closes && chance(0.8)) ? 'final' : pick(kinds);
      const child = this.#node(node, key, kind);
      node.children.push(child);
      states[key] = child.config;
      this.#grow(child, depth + 1);
    }
    if (chance(0.35)) this.#addHistory(node, states);
    if (node.kind === 'compound') {
      const isFirst = ({ kind, config }: Node) =>
        kind === 'history' ? config.target !== undefined && chance(0.3) : kind !== 'final' || chance(0.1);
      const first = pick(node.children.filter(isFirst)).key;
      node.config.initial = chance(0.25) ? { target: first, actions: this.#initialActions() } : first;
    }
  }

  #initialActions(): unknown {
    return [this.#actions(), this.#seen('initial with actions')].flat();
  }

  #addHistory(node: Node, states: Fields): void {
    const { chance, pick } = this.#random;
    const history = this.#node(node, 'h', 'history');
    Object.assign(history.config, { type: 'history', history: pick(['deep', 'shallow']) });
    if (chance(0.4)) {
      const inside = pick(node.children);
      const grandchild = inside.children.filter(({ kind }) => kind !== 'history');
      history.config.target = grandchild.length > 0 && chance(0.5) ? `${inside.key}.${pick(grandchild).key}` : inside.key;
    }
    node.children.push(history);
    states.h = history.config;
  }

  // ── What happens in it ─────────────────────────────────────────────────────────────────────────────────────────

  #write(node: Node): void {
    const { below, chance, pick } = this.#random;
    if (node.kind === 'history') return;
    const { config } = node;
    if (chance(0.5)) config.entry = this.#actions();
    if (chance(0.5)) config.exit = this.#actions();
    if (chance(0.3)) config.tags = pick([['red'], ['red', 'green'], 'blue']);
    if (chance(0.2)) config.meta = { salt: below(100), note: [pick(TYPES)] };
    if (node.kind === 'final' && chance(0.6)) config.output = this.#output('output of a final state');
    if (config.id !== undefined && node.parent !== undefined && chance(0.5)) this.#addRoute(node);
    const on: Fields = {};
    for (let count = below(4); count > 0; count -= 1) on[pick(this.#descriptors)] = this.#handlers(node);
    if (Object.keys(on).length > 0) config.on = on;
    if (chance(0.12)) config.always = this.#always(node);
    if (node.kind !== 'atomic' && node.kind !== 'final' && chance(node.kind === 'parallel' ? 0.7 : 0.4))
      config.onDone = chance(0.5) ? this.#damped(node) : { actions: this.#actions() };
    if (chance(0.2))
      config.after = {
        [pick(['10', '500', 'soon', 'later'])]: this.#transition(node),
        ...(chance(0.3) ? { 77: this.#transition(node) } : {}),
      };
    if (this.#outward !== undefined && chance(0.2)) this.#addInvoke(node, this.#outward);
  }

  get #descriptors(): readonly string[] {
    return this.#outward !== undefined && this.#random.chance(0.15) ? FROM_CHILDREN : DESCRIPTORS;
  }

  #addRoute({ config, id }: Node): void {
    const { chance } = this.#random;
    this.#routes.push(`#${id}`);
    config.route = {
      ...(chance(0.5) ? { guard: this.#guard() } : {}),
      ...(chance(0.3) ? { reenter: true } : {}),
      ...(chance(0.5) ? { actions: this.#actions() } : {}),
    };
  }

  #addInvoke(node: Node, outward: Outward): void {
    const { config } = node;
    const { config: invoke, ids } = randomInvoke(outward, this.#nodes.indexOf(node), (hasTarget) =>
      hasTarget ? this.#transition(node) : { actions: this.#actions() },
    );
    config.invoke = invoke;
    if (ids[0] === undefined) return;
    const { entry, exit, on } = randomTelling(outward, ids[0]);
    if (entry !== undefined) config.entry = [config.entry ?? [], entry, this.#seen('sendTo a child that its state invokes after')].flat();
    if (exit !== undefined) config.exit = [config.exit ?? [], exit].flat();
    if (on !== undefined) config.on = { ...(config.on as Fields | undefined), ...on };
  }

  #seen(feature: Feature): () => void {
    return printsAs('seen', () => this.#log.features.saw(feature));
  }

  #handlers(node: Node): unknown {
    const kind = this.#random.below(12);
    if (kind === 0) return undefined;
    if (kind === 1) return [];
    if (kind === 2) return this.#target(node);
    if (kind < 6) return [this.#guarded(node), this.#transition(node)];
    return this.#transition(node);
  }

  #always(node: Node): unknown {
    const damped = this.#damped(node);
    return this.#random.chance(0.5) ? damped : [this.#damped(node), damped];
  }

  #damped(node: Node): Fields {
    const guarded = this.#guarded(node);
    if (!this.#random.chance(DAMPED)) return guarded;
    const salt = this.#random.below(1000);
    const ticked = this.#xstate.assign({
      ticks: printsAs('ticks + 1', ({ context }: { context: { ticks?: number } }) => (context.ticks ?? 0) + 1),
    } as never);
    const guard = printsAs(`(found) => mix(found, ${salt}) % 3 === 0`, (found: Given) => mix(found, salt) % 3 === 0);
    return { ...guarded, guard, actions: [ticked, guarded.actions ?? []].flat() };
  }

  #guarded(node: Node): Fields {
    return { ...this.#transition(node), guard: this.#guard() };
  }

  #transition(node: Node): Fields {
    const { chance } = this.#random;
    return {
      ...(chance(0.8) ? { target: this.#targets(node) } : {}),
      ...(chance(0.2) ? { reenter: true } : {}),
      ...(chance(0.3) ? { guard: this.#guard() } : {}),
      ...(chance(0.5) ? { actions: this.#actions() } : {}),
    };
  }

  #targets(node: Node): unknown {
    const { chance, pick } = this.#random;
    const parallels = this.#nodes.filter(({ kind }) => kind === 'parallel');
    if (parallels.length === 0 || !chance(0.1)) return this.#target(node);
    // One state in each of two regions.
    const regions = pick(parallels).children.filter(({ kind }) => kind !== 'history');
    const [first, second] = regions;
    const inside = (region: Node): Node =>
      pick(
        this.#nodes.filter(
          (other) => other === region || (isInside(other, region) && !(other.kind === 'history' && other.parent === region && chance(0.5))),
        ),
      );
    return first === undefined || second === undefined ? this.#target(node) : [`#${inside(second).id}`, `#${inside(first).id}`];
  }

  #target(node: Node): string {
    const { chance, pick } = this.#random;
    const child = node.children.length > 0 ? pick(node.children) : undefined;
    if (child !== undefined && chance(0.25)) return `.${child.key}`;
    const sibling = node.parent === undefined ? undefined : pick(node.parent.children);
    if (sibling !== undefined && chance(0.35)) return sibling.key;
    const nodes = this.#nodes.filter(({ parent }) => parent !== undefined);
    return `#${pick(nodes).id}`;
  }

  // ── Functions ──────────────────────────────────────────────────────────────────────────────────────────────────

  #guard(): unknown {
    const { below, chance, pick } = this.#random;
    if (chance(0.3)) {
      const salt = below(1000);
      const isIll = this.#isIll;
      return printsAs(`(found) => mix(found, ${salt}) % 3 !== 0${isIll ? ', or throws' : ''}`, (found: Given) => {
        const hash = mix(found, salt);
        if (isIll && hash % 13 === 0) throw this.#illness('error: a guard throws', salt);
        return hash % 3 !== 0;
      });
    }
    const name = pick(GUARDS);
    if (name !== 'parametric') return name;
    const salt = below(100);
    return { type: name, params: chance(0.5) ? { salt } : (found: Given) => ({ salt: mix(found, salt) }) };
  }

  #actions(): unknown {
    const actions = Array.from({ length: 1 + this.#random.below(3) }, () => this.#action());
    return actions.length === 1 && this.#random.chance(0.5) ? actions[0] : actions;
  }

  #action(): unknown {
    const { below, chance, pick } = this.#random;
    const { assign, raise, log } = this.#xstate;
    const salt = below(1000);
    if (this.#outward !== undefined && chance(0.2)) return randomOutward(this.#outward, `f${(this.#effects += 1)}`);
    // Raises are rare: where every other entry raises, charts do nothing but loop.
    switch (below(chance(0.07) ? 10 : 8) + (chance(0.4) ? 10 : 0)) {
      case 0:
        return assign(this.#assignment(salt) as never);
      case 1:
        return assign({ n: (found: Given) => mix(found, salt) % 20, seen: (found: Given) => (found.event as Fields).type } as never);
      case 2:
        return 'assigned';
      case 3:
        return { type: 'assignedBy', params: this.#made('params of an action, made', (found) => ({ by: mix(found, salt) % 7 })) };
      case 8:
        return raise({ type: pick([...TYPES, 'x.other']), k: salt } as never);
      case 9:
        return chance(0.5)
          ? 'raised'
          : raise(this.#made('raise of a made event', (found) => ({ type: TYPES[mix(found, salt) % TYPES.length], from: salt })) as never);
      case 6:
        return log(((found: Given) => mix(found, salt)) as never, chance(0.5) ? 'label' : undefined);
      case 7:
        return {
          type: 'noted',
          params: chance(0.5) ? { salt } : this.#made('params of an action, made', (found) => ({ mixed: mix(found, salt) })),
        };
      case 4:
        return 'nobody implements this';
      case 5:
        return 'noted';
      default:
        return this.#effect(`f${(this.#effects += 1)}`);
    }
  }

  #assignment(salt: number): unknown {
    const isIll = this.#isIll;
    return printsAs(`(found) => ({ n: mix(found, ${salt}) % 50 })${isIll ? ', or throws' : ''}`, (found: Given) => {
      const hash = mix(found, salt);
      if (isIll && hash % 17 === 0) throw this.#illness('error: an action throws', salt);
      this.#log.features.saw('assign');
      return { n: hash % 50 };
    });
  }

  #illness(feature: Feature, salt: number): Error {
    this.#log.features.saw(feature);
    return new Error(`ill ${salt}`);
  }

  /** The same function, counted. */
  #made(feature: Feature, make: (found: Given) => unknown): (found: Given) => unknown {
    return (found) => {
      this.#log.features.saw(feature);
      return make(found);
    };
  }

  #effect(name: string) {
    return effect(this.#log, name);
  }

  #output(feature: Feature): unknown {
    const salt = this.#random.below(1000);
    return this.#random.chance(0.3) ? { fixed: salt } : this.#made(feature, (found) => ({ mixed: mix(found, salt) }));
  }

  #implementations(): Chart['implementations'] {
    const { assign, raise, and, or, not, stateIn } = this.#xstate;
    const { pick } = this.#random;
    const states = this.#nodes.filter(({ kind, parent }) => kind !== 'history' && parent !== undefined);
    const guard = (salt: number) => (found: Given) => mix(found, salt) % 2 === 0;
    const valueOf = (node: Node): unknown =>
      pathOf(node)
        .slice(1)
        .reduceRight<unknown>((inner, key) => (inner === undefined ? key : { [key]: inner }), undefined);
    return {
      guards: {
        g0: guard(0),
        g1: guard(1),
        g2: guard(2),
        parametric: (found: Given, { salt }: { salt: number }) => mix(found, salt) % 2 === 1,
        alias: 'g1',
        inOne: stateIn(`#${pick(states).id}`),
        inValue: stateIn(valueOf(pick(states)) as never),
        both: and(['g0', 'g2']),
        either: or(['g0', not('g2')]),
        neither: not(or(['g0', 'inOne'])),
        composed: or([
          and(['g0', not('alias'), stateIn(`#${pick(states).id}`)]),
          and([{ type: 'parametric', params: { salt: 4 } } as never, stateIn(valueOf(pick(states)) as never)]),
        ]),
      },
      actions: {
        noted: (found: Given, params: unknown) => {
          this.#log.features.sawWhen(typeof (params as { salt?: number } | undefined)?.salt === 'number', 'params of an action, fixed');
          this.#log.write('noted', found, params);
        },
        assigned: assign({
          n: (found: Given) => mix(found, 'assigned') % 9,
          list: ({ context }: { context: { list: unknown[] } }) => [...context.list, context.list.length].slice(-4),
        } as never),
        assignedBy: assign((({ context }: { context: { n: number } }, { by }: { by: number }) => ({ n: (context.n + by) % 100 })) as never),
        raised: raise(((found: Given) => ({ type: TYPES[mix(found, 'raised') % TYPES.length] })) as never),
      },
      delays: { soon: 25, later: (found: Given) => mix(found, 'later') % 1000 },
      actors: this.#outward === undefined ? {} : actors(this.#outward),
    };
  }
}

/** Keys from the root, whose key is the machine's id. */
function pathOf(node: Node): string[] {
  return node.parent === undefined ? [node.key] : [...pathOf(node.parent), node.key];
}

function isInside(node: Node, ancestor: Node): boolean {
  for (let above = node.parent; above !== undefined; above = above.parent) if (above === ancestor) return true;
  return false;
}
