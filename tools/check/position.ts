// Where in a JSON text the value lies that a JSON pointer names. The text is known to be JSON: JSON.parse took it.

import { unescapePointer } from '../../core/plain.ts';

/** Strings whole, so that no bracket in one is taken for structure. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

interface Level {
  /** Of an object: the key whose value comes or came last. */
  key: string | undefined;
  /** Of an array: the index of the element that comes or came last. */
  index: number;
  readonly isArray: boolean;
  awaitsKey: boolean;
}

/** @returns `line:column`, from 1; undefined when nothing lies there. */
export function positionOf(text: string, pointer: string): string | undefined {
  const wanted = pointer.split('/').slice(1).map(unescapePointer);
  const levels: Level[] = [];
  for (const { 0: token, index: at } of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === '}' || token === ']') levels.pop();
    else if (token === ',') {
      if (level!.isArray) level!.index += 1;
      else level!.awaitsKey = true;
    } else if (token === ':') continue;
    else if (level?.awaitsKey === true) {
      level.key = JSON.parse(token) as string;
      level.awaitsKey = false;
    } else {
      if (levels.length === wanted.length && levels.every((each, depth) => keyOf(each) === wanted[depth])) return lineAndColumn(text, at);
      if (token === '{' || token === '[') levels.push({ key: undefined, index: 0, isArray: token === '[', awaitsKey: token === '{' });
    }
  }
  return undefined;
}

function keyOf({ key, index, isArray }: Level): string | undefined {
  return isArray ? String(index) : key;
}

function lineAndColumn(text: string, at: number): string {
  const before = text.slice(0, at).split('\n');
  return `${before.length}:${before.at(-1)!.length + 1}`;
}
