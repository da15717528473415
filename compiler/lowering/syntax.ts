// JavaScript as trees: the door to acorn. Functions are parsed from what Function.prototype.toString gives, which can also be a method's
// text; whole modules from their text.

import { parse, type Node, type Program } from 'acorn';
import type * as ES from 'acorn';

export type { ES, Node, Program };

export type FunctionNode = ES.ArrowFunctionExpression | ES.FunctionExpression | ES.FunctionDeclaration;

const OPTIONS = { ecmaVersion: 2023, sourceType: 'module', allowAwaitOutsideFunction: true, allowReturnOutsideFunction: true } as const;

/** The function that a text is; undefined when it is native code, a class or no function. */
export function parseFunction(text: string): FunctionNode | undefined {
  return functionIn(expressionOf(`(${text}\n)`)) ?? functionIn(expressionOf(`({${text}\n})`));
}

/** The statements of a module; undefined when it is no JavaScript. */
export function parseModule(text: string): Program | undefined {
  const parsed = parsedOrNot(text);
  return parsed instanceof SyntaxError ? undefined : parsed;
}

/** Where a module is no JavaScript: line and column, from 1. */
export function syntaxErrorAt(text: string): { readonly line: number; readonly column: number } | undefined {
  const parsed = parsedOrNot(text);
  if (!(parsed instanceof SyntaxError)) return undefined;
  const { line, column } = (parsed as SyntaxError & { readonly loc: ES.Position }).loc;
  return { line, column: column + 1 };
}

function parsedOrNot(text: string): Program | SyntaxError {
  try {
    return parse(text, OPTIONS);
  } catch (error) {
    if (error instanceof SyntaxError) return error;
    throw error;
  }
}

export function isFunctionNode(node: Node): node is FunctionNode {
  return node.type === 'ArrowFunctionExpression' || node.type === 'FunctionExpression' || node.type === 'FunctionDeclaration';
}

/** The nodes directly inside. */
export function childrenOf(node: Node): Node[] {
  return Object.values(node).flatMap((value: unknown) => (Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []));
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

function expressionOf(text: string): ES.Expression | undefined {
  const [statement, more] = parseModule(text)?.body ?? [];
  return statement?.type === 'ExpressionStatement' && more === undefined ? statement.expression : undefined;
}

function functionIn(node: ES.Expression | undefined): FunctionNode | undefined {
  if (node === undefined) return undefined;
  if (node.type === 'ArrowFunctionExpression' || node.type === 'FunctionExpression') return node;
  if (node.type !== 'ObjectExpression') return undefined;
  const [property] = node.properties;
  if (property?.type !== 'Property' || property.kind !== 'init' || !property.method) return undefined;
  return property.value.type === 'FunctionExpression' ? property.value : undefined;
}
