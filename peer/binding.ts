// How the author's functions, actors and machines inside machines are found for an image, and called. Beside machines.ts, because a page that only watches
// has no definitions and goes without.

import { bind, findLogic } from '../core/bind.ts';
import { Instance } from '../core/instance.ts';
import { escapePointer } from '../core/plain.ts';
import { isFields, type Fields } from '../core/fields.ts';
import { actorPath, invokesOf, isMachine, readSource } from '../core/source.ts';

export interface Binding {
  readonly bind: typeof bind;
  readonly findLogic: typeof findLogic;
  readonly machinesWithin: typeof machinesWithin;
  /** What calls them. */
  readonly Instance: typeof Instance;
}

export const binding: Binding = { bind, findLogic, machinesWithin, Instance };

/** The machines among the actors of a definition, with the `src` that names each: the named ones, and those written where they are invoked. */
function* machinesWithin(definition: unknown): Iterable<readonly [src: string, logic: unknown]> {
  if (!isFields(definition)) return;
  if (definition.dialect === 'relational') {
    for (const [state, actor] of Object.entries(isFields(definition.actors) ? definition.actors : {}))
      if (isFields(actor) && isMachine(actor.src)) yield [actorPath(state), actor.src];
    return;
  }
  const { config, implementations } = readSource(definition);
  for (const [name, logic] of Object.entries(implementations.actors)) if (isMachine(logic)) yield [name, logic];
  yield* invokedWithin(config, '');
}

function* invokedWithin(config: Fields, path: string): Iterable<readonly [src: string, logic: unknown]> {
  for (const [index, { src }] of invokesOf(config).entries()) {
    if (isMachine(src)) yield [Array.isArray(config.invoke) ? `${path}/invoke/${index}` : `${path}/invoke`, src];
  }
  for (const [key, state] of Object.entries(isFields(config.states) ? config.states : {}))
    if (isFields(state)) yield* invokedWithin(state, `${path}/states/${escapePointer(key)}`);
}
