// Whether anything in a module could change a constant's array or object. A scalar cannot change. Of an array or object, every mention must
// be one that only reads, and that hands nothing out but scalars: somebody else could change what it gets hold of.

import { isFields } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import { keyOf } from './scope.ts';
import { childrenOf, type ES, type Node, type Program } from './syntax.ts';

const READING: ReadonlySet<string> = new Set(
  'at concat every filter find findIndex flatMap forEach includes indexOf join map reduce slice some toReversed toString'.split(' '),
);
/** Functions that give nothing of their argument away but keys and scalars. */
const READERS: ReadonlySet<string> = new Set(['Object.keys', 'Object.values', 'Object.entries', 'Object.freeze', 'Array.isArray']);

/** @param exported what the module exports: other modules could change that. */
export function isUnchanged(program: Program, name: string, constant: Json, exported: { has(name: string): boolean }): boolean {
  if (!isComposite(constant)) return true;
  return !exported.has(name) && mentions(program, name, []).every((path) => onlyReads(path, constant));
}

const isComposite = (value: Json | undefined): boolean => typeof value === 'object' && value !== null;

const childValues = (value: Json): readonly Json[] =>
  Array.isArray(value) ? (value as Json[]) : isFields(value) ? Object.values(value) : [];

/** Whether what a composite holds are scalars. */
const isFlat = (value: Json): boolean => !childValues(value).some(isComposite);

/** Each mention of a name, as the nodes around it, the innermost last. A shadowed name counts as well: that only refuses more. */
function mentions(node: Node, name: string, around: readonly Node[]): Node[][] {
  const path = [...around, node];
  const own = node.type === 'Identifier' && (node as ES.Identifier).name === name && !isMereKey(node, around.at(-1)) ? [path] : [];
  return [...own, ...childrenOf(node).flatMap((child) => mentions(child, name, path))];
}

function isMereKey(node: Node, parent: Node | undefined): boolean {
  if (parent?.type === 'MemberExpression')
    return (parent as ES.MemberExpression).property === node && !(parent as ES.MemberExpression).computed;
  if (parent?.type !== 'Property') return false;
  const { key, computed, shorthand } = parent as ES.Property;
  return key === node && !computed && !shorthand;
}

function onlyReads(path: readonly Node[], constant: Json): boolean {
  let value: Json | undefined = constant;
  for (let at = path.length - 1; at > 0; at -= 1) {
    const [node, parent, outer] = [path[at]!, path[at - 1]!, path[at - 2]];
    if (parent.type === 'ChainExpression' || parent.type === 'ParenthesizedExpression') continue;
    if (value === undefined || !isComposite(value)) return !isTarget(node, parent);
    if (parent.type !== 'MemberExpression' || (parent as ES.MemberExpression).object !== node) return isReadWhole(node, parent, value);
    const key = keyOf(parent as ES.MemberExpression);
    if (outer?.type === 'CallExpression' && (outer as ES.CallExpression).callee === parent) {
      return key !== undefined && READING.has(key) && isFlat(value);
    }
    if (isTarget(parent, outer)) return false;
    value = fieldOf(value, key);
  }
  return true;
}

/** An unknown key may be any: a composite if one of them is. */
function fieldOf(value: Json, key: string | undefined): Json | undefined {
  if (key === undefined) return childValues(value).find(isComposite);
  const fields = value as { readonly [key: string]: Json };
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function isTarget(node: Node, parent: Node | undefined): boolean {
  if (parent?.type === 'AssignmentExpression') return (parent as ES.AssignmentExpression).left === node;
  return (
    parent?.type === 'UpdateExpression' || (parent?.type === 'UnaryExpression' && (parent as ES.UnaryExpression).operator === 'delete')
  );
}

function isReadWhole(node: Node, parent: Node, value: Json): boolean {
  switch (parent.type) {
    case 'VariableDeclarator':
      // Its own declaration.
      return (parent as ES.VariableDeclarator).id === node;
    case 'SpreadElement':
      return isFlat(value);
    case 'ForOfStatement':
      return (parent as ES.ForOfStatement).right === node && isFlat(value);
    case 'UnaryExpression':
      return (parent as ES.UnaryExpression).operator !== 'delete';
    case 'CallExpression': {
      const { callee } = parent as ES.CallExpression;
      const owner = callee.type === 'MemberExpression' && callee.object.type === 'Identifier' ? callee.object.name : '';
      return callee !== node && READERS.has(`${owner}.${callee.type === 'MemberExpression' ? (keyOf(callee) ?? '') : ''}`) && isFlat(value);
    }
    default:
      return false;
  }
}
