// What the functions of a random chart have in common: they look at all that they are given, and what acts writes down what it saw.

import { printsAs } from '../support/print-config.ts';

export interface Given {
  readonly context: unknown;
  readonly event: unknown;
}

/** What the effects of a run saw, in order, and what reached the world outside: children and listeners. */
export class Log {
  readonly entries: string[] = [];
  readonly outside: string[] = [];

  write(name: string, found: Given, params: unknown): void {
    this.entries.push(`${name} ${JSON.stringify([found.context, found.event, params])}`);
  }

  take(): string[] {
    return this.entries.splice(0);
  }

  takeOutside(): string[] {
    return this.outside.splice(0);
  }
}

/** FNV-1a over everything a function can see. */
export function mix(found: Given, salt: unknown): number {
  const text = JSON.stringify([found.context, found.event, salt]);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** An action that writes down what it saw. */
export function effect(log: Log, name: string): (found: Given, params: unknown) => void {
  return printsAs(`effect('${name}')`, (found: Given, params: unknown): void => {
    log.write(name, found, params);
  });
}
