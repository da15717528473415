// Finds what a target, an `initial` or a stateIn() of an XState 5 definition names. The rules are those of XState's StateNode and
// resolveTarget: `#id` is absolute, `.x` is inside the state, `x` is beside it, dots descend, `\.` is a dot in a key.

import { isFields, type Fields } from '../../core/fields.ts';
import { own } from '../../core/source.ts';
import { bad } from '../tree.ts';

export interface ConfigNode {
  readonly config: Fields;
  readonly key: string;
  readonly id: string;
  /** JSON pointer into the config. */
  readonly path: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly parent: ConfigNode | undefined;
  readonly children: ReadonlyMap<string, ConfigNode>;
}

export class Targets {
  readonly #machine: string;
  readonly #ids: ReadonlyMap<string, ConfigNode>;
  readonly root: ConfigNode;

  constructor(machine: string, root: ConfigNode, ids: ReadonlyMap<string, ConfigNode>) {
    this.#machine = machine;
    this.root = root;
    this.#ids = ids;
  }

  /** The target of a transition that `source` declares. @throws LockstepError BAD_DEFINITION */
  resolve(source: ConfigNode, target: unknown, path: string): ConfigNode {
    if (typeof target !== 'string') throw bad(this.#machine, path, 'a target must be a string');
    if (target.startsWith('#')) return this.byId(target, path);
    const isInside = target.startsWith('.');
    if (source.parent === undefined) {
      if (isInside) return this.#byKeys(source, statePath(target.slice(1)), target, path);
      throw bad(this.#machine, path, `'${target}' is not a target from the root; did you mean '.${target}'?`);
    }
    return this.#byKeys(source.parent, statePath(isInside ? source.key + target : target), target, path);
  }

  /** `#id` or `#id.key.key`. */
  byId(reference: string, path: string): ConfigNode {
    const [id = '', ...keys] = statePath(reference);
    const node = this.#ids.get(id.slice(1));
    if (node === undefined) throw bad(this.#machine, path, `no state has the id '${id.slice(1)}'`);
    return this.#byKeys(node, keys, reference, path);
  }

  /** A history node's default, named from its parent. */
  fromParent(history: ConfigNode, target: unknown, path: string): ConfigNode {
    if (typeof target !== 'string' || history.parent === undefined) throw bad(this.#machine, path, 'a target must be a string');
    if (target.startsWith('#')) return this.byId(target, path);
    return this.#byKeys(history.parent, statePath(target), target, path);
  }

  /** The state that a stateIn() value means, when it is one state: `#id`, `a.b`, or nested objects with one key each. */
  ofValue(value: unknown, path: string): ConfigNode | undefined {
    if (typeof value === 'string')
      return value.startsWith('#') ? this.byId(value, path) : this.#byKeys(this.root, statePath(value), value, path);
    const keys: string[] = [];
    let rest: unknown = value;
    while (isFields(rest)) {
      const [entry, ...more] = Object.entries(rest);
      if (entry === undefined || more.length > 0) return undefined;
      keys.push(entry[0]);
      rest = entry[1];
    }
    if (typeof rest !== 'string') return undefined;
    return this.#byKeys(this.root, [...keys, ...statePath(rest)], JSON.stringify(value), path);
  }

  /** An empty key ends the path, as in XState. */
  #byKeys(start: ConfigNode, keys: readonly string[], named: string, path: string): ConfigNode {
    let node = start;
    for (const key of keys) {
      if (key === '') break;
      const child = node.children.get(key);
      if (child === undefined) throw bad(this.#machine, path, `'${named}' names nothing: '${node.id}' has no child state '${key}'`);
      node = child;
    }
    return node;
  }
}

/** Splits at dots that no backslash precedes. */
export function statePath(text: string): string[] {
  const keys: string[] = [];
  let key = '';
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '\\') {
      i += 1;
      key += text.charAt(i);
    } else if (char === '.') {
      keys.push(key);
      key = '';
    } else {
      key += char;
    }
  }
  return [...keys, key];
}

/** Reads the tree of state configs, before anything in it is looked at. */
export function readTree(machine: string, config: Fields): Targets {
  const ids = new Map<string, ConfigNode>();
  const visit = (node: Fields, key: string, keys: readonly string[], path: string, parent: ConfigNode | undefined): ConfigNode => {
    const children = new Map<string, ConfigNode>();
    const id = typeof node.id === 'string' && node.id !== '' ? node.id : [machine, ...keys].join('.');
    const read: ConfigNode = { config: node, key, id, path, kind: kindOf(machine, node, path), parent, children };
    const other = ids.get(id);
    if (other !== undefined) throw bad(machine, path, `the id '${id}' is taken by ${other.path || 'the root'}`);
    ids.set(id, read);
    const states = node.states ?? {};
    if (!isFields(states)) throw bad(machine, `${path}/states`, 'expected an object of states');
    for (const name of Object.keys(states)) {
      const child = own(states, name);
      const place = `${path}/states/${pointerToken(name)}`;
      if (!isFields(child)) throw bad(machine, place, 'expected an object that describes a state');
      children.set(name, visit(child, name, [...keys, name], place, read));
    }
    checkChildren(machine, read);
    return read;
  };
  const root = visit(config, machine, [], '', undefined);
  return new Targets(machine, root, ids);
}

/** One reference token of a JSON pointer (RFC 6901). */
export const pointerToken = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

const KINDS: ReadonlySet<unknown> = new Set(['atomic', 'compound', 'parallel', 'final', 'history']);
const isKind = (value: unknown): value is ConfigNode['kind'] => KINDS.has(value);

function kindOf(machine: string, config: Fields, path: string): ConfigNode['kind'] {
  const { type } = config;
  if (isKind(type)) return type;
  if (type !== undefined && type !== '') throw bad(machine, `${path}/type`, `expected atomic, compound, parallel, final or history`);
  if (isFields(config.states) && Object.keys(config.states).length > 0) return 'compound';
  return config.history !== undefined && config.history !== false ? 'history' : 'atomic';
}

function checkChildren(machine: string, { kind, children, path, parent, id }: ConfigNode): void {
  const count = [...children.values()].filter((child) => child.kind !== 'history').length;
  if ((kind === 'compound' || kind === 'parallel') && count === 0)
    throw bad(machine, path, `the ${kind} state '${id}' has no child states`);
  if (kind !== 'compound' && kind !== 'parallel' && children.size > 0)
    throw bad(machine, path, `a state of type ${kind} has no child states`);
  if (parent === undefined && (kind === 'final' || kind === 'history')) throw bad(machine, path, `the root cannot be of type ${kind}`);
}
