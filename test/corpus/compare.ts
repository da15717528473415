// Plays one machine on both sides with the same random events, and compares all that inspection shows. Events carry the fields that the
// module's own text reads from events, so that its guards and assigns have something to decide on.

import { readFileSync } from 'node:fs';
import type { AnyStateMachine } from 'xstate';
import { random, type Random } from '../support/random.ts';
import type { Playing, Record, Side } from '../xstate/record.ts';
import type { Loaded, Waiting } from './load.ts';

export interface Player {
  readonly side: Side;
  readonly loaded: Loaded;
  readonly machine: AnyStateMachine;
}

const ROUNDS = 8;
const EVENTS = 40;

/** @returns how many events were compared. @throws Error with the first difference. */
export async function compare(players: readonly [Player, Player], file: string, seed: number): Promise<number> {
  const fields = fieldsRead(readFileSync(file, 'utf8'));
  let events = 0;
  for (let round = 0; round < ROUNDS; round += 1) events += await play(players, fields, seed * ROUNDS + round);
  return events;
}

async function play(players: readonly [Player, Player], fields: Fields, seed: number): Promise<number> {
  const dice = random(seed);
  const input = valueOf(fields.input, dice);
  const actors: Playing[] = [];
  for (const { side, machine } of players) {
    await alike(seed, side.record, () => void actors.push(side.actor(machine, { input })));
  }
  const types = [...players[0].machine.events.filter((type) => !type.includes('*')), 'never', 'never.named'];
  let events = 0;
  for (let event = -1; event < EVENTS; event += 1) {
    const act: Act = event < 0 ? (_, actor) => void actor.start() : nextAct(dice, players[0], types, fields);
    for (const [index, player] of players.entries()) await alike(seed + event, player.side.record, () => act(player, actors[index]!));
    same(players[0].side.record, players[1].side.record);
    if (actors[0]!.getSnapshot().status !== 'active') break;
    events += 1;
  }
  for (const [index, { loaded, side }] of players.entries()) {
    await alike(seed, side.record, () => void actors[index]!.stop());
    loaded.waiting.length = 0;
    side.clock.clear();
    side.record.take();
  }
  return events;
}

type Act = (player: Player, actor: Playing) => void;

/** An event, a timer that fires, or a promise that comes to its end. */
function nextAct(dice: Random, { side, loaded }: Player, types: readonly string[], fields: Fields): Act {
  const open = alive(loaded.waiting).length;
  if (open > 0 && dice.chance(0.4)) {
    const index = dice.below(open);
    const isResolved = dice.chance(0.75);
    const value = isResolved ? valueOf(fields.output, dice) : new Error('the call failed');
    return (player) => {
      const [settled] = alive(player.loaded.waiting).splice(index, 1);
      player.loaded.waiting.splice(player.loaded.waiting.indexOf(settled!), 1);
      settled!.settle(isResolved, value);
    };
  }
  const { length } = side.clock.armed;
  if (length > 0 && dice.chance(0.3)) {
    const index = dice.below(length);
    return (player) => player.side.clock.fire(index);
  }
  const event = { ...(valueOf(fields.event, dice) as object), type: dice.pick(types) };
  return (_, actor) => actor.send(event as never);
}

const alive = (waiting: readonly Waiting[]): Waiting[] => waiting.filter(({ signal }) => !signal.aborted);

function same(theirs: Record, ours: Record): void {
  const [expected, found] = [theirs.take(), ours.take()];
  const line = expected.findIndex((text, index) => text !== found[index]);
  if (line < 0 && expected.length === found.length) return;
  const at = Math.max(line, 0);
  throw new Error(
    `line ${at}\nXState in document order: ${expected[at] ?? '(nothing)'}\nours:                     ${found[at] ?? '(nothing)'}`,
  );
}

/** Acts with the same chance and the same time on both sides, and lets promises have their turns. */
async function alike(seed: number, record: Record, act: () => void): Promise<void> {
  const { random: chance } = Math;
  const { now } = Date;
  const { log } = console;
  const dice = random(seed ^ 0x2545f491);
  Math.random = () => dice.below(1_000_000) / 1_000_000;
  Date.now = () => 1_700_000_000_000 + dice.below(1000);
  // What the modules' actions say is part of what is compared.
  console.log = (...said: unknown[]) => record.write('says', ...said);
  try {
    act();
    for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
  } finally {
    Math.random = chance;
    Date.now = now;
    console.log = log;
  }
}

// ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Names of fields, and in them the names of theirs. */
type Shape = { [name: string]: Shape };
interface Fields {
  readonly event: Shape;
  readonly output: Shape;
  readonly input: Shape;
}

/** What a module's functions read from events, from the outputs in them, and from inputs, as far as its text shows it. */
function fieldsRead(text: string): Fields {
  const fields: Fields = { event: {}, output: {}, input: {} };
  for (const [, whole, path] of text.matchAll(/\b(event|input|output)((?:\??\.[\w$]+)+)/g)) {
    const names = path!.split(/\??\./).filter((name) => name !== '');
    const isOutput = whole === 'output' || (whole === 'event' && names[0] === 'output');
    add(isOutput ? fields.output : fields[whole as 'event' | 'input'], isOutput && whole === 'event' ? names.slice(1) : names);
  }
  return fields;
}

/** Methods are not fields. */
const METHODS: ReadonlySet<string> = new Set(['map', 'filter', 'find', 'some', 'every', 'reduce', 'toString', 'trim', 'includes', 'slice']);

function add(shape: Shape, names: readonly string[]): void {
  const [name, ...more] = names;
  if (name === undefined || METHODS.has(name) || name === 'type') return;
  add((shape[name] ??= {}), more);
}

function valueOf(shape: Shape, dice: Random): unknown {
  const names = Object.keys(shape);
  if (names.length === 0) return dice.pick<unknown>([0, 1, 7, 500, 'text', '', true, false, ['one', 'two'], []]);
  if (names.length === 1 && names[0] === 'length') return dice.pick<unknown>(['text', [], ['one']]);
  return Object.fromEntries(names.map((name) => [name, valueOf(shape[name]!, dice)]));
}
