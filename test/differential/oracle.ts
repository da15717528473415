// XState 5 corrected to document order: the oracle. Stock XState lets the order in which states were entered (`snapshot._nodes`) decide
// ties between eventless transitions, the order of regions and the order in which history restores states; that order is not part of a
// persisted snapshot, so a live and a restored actor may part ways. We define document order instead. The correction is three `sort`s,
// applied to a copy of the published bundle in a temporary folder; every other line of XState runs as published.
// Where actors are kept by a replica, their ids are their names (docs/definitions.md): a reference means whoever has its id, one whose id
// another takes is stopped, one that the step which spawned it stops again never starts. For the test of that more lines are corrected.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import type * as xstate from 'xstate';

export type XState = typeof xstate;

interface Correction {
  readonly what: string;
  readonly published: string;
  readonly corrected: string;
}

const BY_ORDER = '.sort((a, b) => a.order - b.order)';

const CORRECTIONS: readonly Correction[] = [
  {
    what: 'eventless transitions are looked for in document order',
    published: 'const atomicStates = nextState._nodes.filter(isAtomicStateNode);',
    corrected: `const atomicStates = nextState._nodes.filter(isAtomicStateNode)${BY_ORDER};`,
  },
  {
    what: 'regions are asked in document order',
    published: 'for (const subStateKey of Object.keys(stateValue)) {',
    corrected: 'for (const subStateKey of Object.keys(stateValue).sort((a, b) => stateNode.states[a].order - stateNode.states[b].order)) {',
  },
  {
    what: 'history remembers in document order',
    published: 'changedHistory[historyNode.id] = Array.from(mutStateNodeSet).filter(predicate);',
    corrected: `changedHistory[historyNode.id] = Array.from(mutStateNodeSet).filter(predicate)${BY_ORDER};`,
  },
];

const OF_REPLICAS: readonly Correction[] = [
  {
    what: 'transitions are shown before they are taken, because a function that throws keeps the microstep from being shown',
    published: 'historyValue);\n    let nextState = currentSnapshot;',
    corrected: `historyValue);
    const shown = { actorRef: actorScope.self, snapshot: currentSnapshot, _transitions: transitions };
    if (!isInitial) actorScope.system._sendInspectionEvent({ type: '@xstate.enabled', ...shown });
    let nextState = currentSnapshot;`,
  },
  {
    what: 'a reference stands for whoever has its id',
    published: 'targetActorRef = resolvedTarget || actorScope.self;',
    corrected: 'targetActorRef = snapshot.children[resolvedTarget?.id] ?? resolvedTarget ?? actorScope.self;',
  },
  {
    what: 'spawnChild and invoke stop the actor whose id they take',
    published: `  return [cloneMachineSnapshot(snapshot, {
    children: {
      ...snapshot.children,
      [resolvedId]: actorRef`,
    corrected: `  executeStop(actorScope, snapshot.children[resolvedId]);
  return [cloneMachineSnapshot(snapshot, {
    children: {
      ...snapshot.children,
      [resolvedId]: actorRef`,
  },
  {
    what: 'spawn in an assign knows the children',
    published: `function createSpawner(actorScope, {
  machine,`,
    corrected: `function createSpawner(actorScope, {
  children,
  machine,`,
  },
  {
    what: 'what the first step spawned in an assign and stopped again does not start',
    published: `    spawnedChildren[actorRef.id] = actorRef;
    actorScope.defer(() => {`,
    corrected: `    spawnedChildren[actorRef.id] = actorRef;
    actorScope.defer(() => {
      const { children, status } = actorScope.self.getSnapshot();
      if (children?.[actorRef.id] !== actorRef || status !== 'active') return;`,
  },
  {
    what: 'spawn in an assign stops the actor whose id it takes',
    published: 'const actorRef = spawn(src, options); // TODO: fix types',
    corrected: `const taken = spawnedChildren[options?.id] ?? children?.[options?.id];
    if (taken?._processingStatus === ProcessingStatus.Running) actorScope.defer(() => actorScope.stopChild(taken));
    else if (taken !== undefined) actorScope.stopChild(taken);
    const actorRef = spawn(src, options);`,
  },
];

/**
 * @param ofReplicas whether actors, too, are as a replica keeps them.
 * @throws Error when the published bundle no longer has a line that is corrected: look at its new shape then.
 */
export async function correctedXState({ ofReplicas = false } = {}): Promise<XState> {
  const folder = mkdtempSync(path.join(tmpdir(), 'xstate-in-document-order-'));
  try {
    const installed = path.dirname(createRequire(import.meta.url).resolve('xstate/package.json'));
    cpSync(path.join(installed, 'dist'), path.join(folder, 'dist'), {
      recursive: true,
      filter: (file) => !/\.(cjs|umd|d)\.|\.map$|declarations/.test(file),
    });
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
    for (const correction of [...CORRECTIONS, ...(ofReplicas ? OF_REPLICAS : [])]) correct(path.join(folder, 'dist'), correction);
    return (await import(/* @vite-ignore */ pathToFileURL(path.join(folder, 'dist', 'xstate.esm.js')).href)) as XState;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function correct(dist: string, { what, published, corrected }: Correction): void {
  const files = readdirSync(dist).filter((file) => file.endsWith('.esm.js') && !file.includes('development'));
  const file = files.find((name) => readFileSync(path.join(dist, name), 'utf8').includes(published));
  if (file === undefined) throw new Error(`XState has no line any more for: ${what}`);
  const text = readFileSync(path.join(dist, file), 'utf8');
  writeFileSync(path.join(dist, file), text.replace(published, corrected));
}
