// Filters: mirrors that are told a part, shallowly, or merged, of statecharts and of relational machines. Real peers and a real relay over
// links in memory.

import { assign, createMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import type { RelationalConfig } from '../../compiler/index.ts';
import type { Json } from '../../core/json.ts';
import { EXECUTED } from '../../core/relational/types.ts';
import * as packed from '../../peer/codec-packed.ts';
import { MemoryJournal } from '../../peer/memory.ts';
import type { WatchOptions } from '../../peer/options.ts';
import type { Policy } from '../../peer/policy.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { HeldJournal, World } from '../support/world.ts';

/** A shop: what is sold, and where an order is. Its functions stay with the author. */
const shop = createMachine({
  types: {} as {
    context: { total: number; notes: readonly string[] };
    events: { type: 'ORDER' } | { type: 'PAY' } | { type: 'SHUT' } | { type: 'NOTE'; note: string };
  },
  id: 'shop',
  type: 'parallel',
  context: { total: 0, notes: [] },
  states: {
    door: { initial: 'open', states: { open: { on: { SHUT: 'shut' } }, shut: { tags: 'dark' } } },
    order: {
      initial: 'none',
      states: {
        none: { on: { ORDER: 'made' } },
        made: { initial: 'unpaid', states: { unpaid: { on: { PAY: 'paid' } }, paid: {} }, on: { ORDER: 'none' } },
      },
    },
  },
  on: { NOTE: { actions: assign({ notes: ({ context, event }) => [...context.notes, event.note] }) } },
});

const lights = {
  dialect: 'relational',
  id: 'lights',
  states: {
    Red: { remove: ['Green'] },
    Green: { remove: ['Red'] },
    Blink: { multi: true },
    Night: {},
    Exception: {},
  },
} as const satisfies RelationalConfig;

async function shopWorld(options: WatchOptions, packs = false) {
  const world = new World();
  const server = await world.server({ machines: { shop: { definition: shop } }, ...(packs ? { packed: () => packed } : {}) });
  await world.get(server.create('shop', { instance: 'corner' }));
  const own = await world.get(server.watch('corner', shop));
  const lines: string[] = [];
  const ann = await world.peer('ann', { record: (line) => lines.push(line), ...(packs ? { packed: () => packed } : {}) });
  const mirror = await world.get(ann.watch('corner', shop, options));
  lines.length = 0;
  return { world, server, own, ann, mirror, lines };
}

async function lightsWorld(options: WatchOptions) {
  const world = new World();
  const server = await world.server({ machines: { lights: { definition: lights } } });
  await world.get(server.create('lights', { instance: 'corner' }));
  const own = new RelationalMirror(await world.get(server.watch('corner', lights)));
  const lines: string[] = [];
  const ann = await world.peer('ann', { record: (line) => lines.push(line) });
  const plain = await world.get(ann.watch('corner', undefined, options));
  const mirror = new RelationalMirror(plain);
  lines.length = 0;
  return { world, server, own, ann, plain, mirror, lines };
}

const seenIn = (lines: readonly string[]): string[] => lines.filter((line) => line.includes('"seen"'));

describe('which states', () => {
  test('[FILTER-1] a filtered mirror shows the states that were asked for, and all in them', async () => {
    const { world, own, mirror, lines } = await shopWorld({ states: ['order'], context: false });
    expect([mirror.states.names, mirror.getSnapshot().toJSON()]).toEqual([
      ['order', 'order.none', 'order.made', 'order.made.unpaid', 'order.made.paid'],
      { value: { order: 'none' }, status: 'active', context: {} },
    ]);
    own.send({ type: 'ORDER' });
    own.send({ type: 'PAY' });
    await world.settle();
    const { value } = mirror.getSnapshot();
    expect([value, mirror.getSnapshot().matches('order.made' as never), mirror.tick('order.none'), mirror.seq]).toEqual([
      { order: { made: 'paid' } },
      true,
      2,
      3,
    ]);
    lines.length = 0;
    own.send({ type: 'SHUT' });
    own.send({ type: 'NOTE', note: 'not for the filter' });
    await world.settle();
    // Nothing that it asked for changed: not a byte until the room falls quiet.
    expect(lines).toEqual([]);
    await world.advance(200);
    expect([mirror.seq, mirror.getSnapshot().value === value, seenIn(lines).length]).toEqual([5, true, 1]);
  });

  test('[FILTER-2] asked about what the filter leaves out it names the state, and never says merely no', async () => {
    const { mirror } = await shopWorld({ states: ['order'] });
    const snapshot = mirror.getSnapshot();
    const asks: readonly (() => unknown)[] = [
      () => snapshot.matches('door.shut' as never),
      () => snapshot.matches({ door: 'open' } as never),
      () => snapshot.matches({ order: 'none', door: {} } as never),
      () => snapshot.matches('typo' as never),
      () => mirror.tick('door.open'),
      () => mirror.states.stateNumber('door'),
      () => snapshot.hasTag('dark'),
      () => snapshot.tags,
      () => mirror.machine,
    ];
    const said = asks.map((ask) => {
      try {
        return ask();
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(said.map((text) => /"([^"]+)"|tags|machine/.exec(String(text))?.[0])).toEqual([
      '"door.shut"',
      '"door.open"',
      '"door"',
      '"typo"',
      '"door.open"',
      '"door"',
      '"dark"',
      'tags',
      'machine',
    ]);
    await expect(mirror.when('door.shut' as never)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('[FILTER-1] `except` leaves states out, with all in them; both together are states but those', async () => {
    const all = await shopWorld({ except: ['order.made'] });
    expect(all.mirror.states.names).toEqual(['door', 'door.open', 'door.shut', 'order', 'order.none']);
    const some = await shopWorld({ states: ['order'], except: ['order.made'] });
    expect(some.mirror.states.names).toEqual(['order', 'order.none']);
    some.own.send({ type: 'ORDER' });
    await some.world.settle();
    expect(some.mirror.getSnapshot().value).toBe('order');
  });

  test('[FILTER-1] a filtered mirror sends, is answered, and asks the authority what would be', async () => {
    const { world, mirror } = await shopWorld({ states: ['order'], context: false });
    expect(await world.get(mirror.can({ type: 'PAY' }))).toBe(false);
    expect(await world.get(mirror.submit({ type: 'ORDER' }))).toEqual({ outcome: 'stepped', seq: 2 });
    expect(await world.get(mirror.submit({ type: 'SHUT' }))).toEqual({ outcome: 'stepped', seq: 3 });
    expect([mirror.getSnapshot().value, mirror.seq, mirror.unconfirmedCount]).toEqual([{ order: { made: 'unpaid' } }, 3, 0]);
  });

  test('[FILTER-7] a filter is refused that has more names, or longer ones, than a room should be kept by', async () => {
    const { world } = await shopWorld({ states: ['order'] });
    const bob = await world.peer('bob');
    const names = (count: number, size: number): string[] => Array.from({ length: count }, (_, i) => `${i}`.padEnd(size, 'x'));
    const view = 'public';
    for (const states of [names(1_025, 4), names(17, 1_000)])
      for (const filter of [{ states }, { except: states }])
        expect(await world.refusal(bob.watch('corner', undefined, { view, ...filter }))).toBe('BAD_PARAMS');
    expect((await world.get(bob.watch('corner', undefined, { view, states: names(16, 1_000) }))).standing).toBe('confirmed');
  });

  test('[FILTER-1] names that are no states are refused; so is a second filter on one peer', async () => {
    const { world, ann, server } = await shopWorld({ states: ['order'] });
    const bob = await world.peer('bob');
    expect(await world.refusal(bob.watch('corner', undefined, { states: ['cellar'] }))).toBe('BAD_PARAMS');
    expect(await world.refusal(bob.watch('corner', undefined, { every: 60_001 }))).toBe('BAD_PARAMS');
    expect(await world.refusal(ann.watch('corner', undefined, { states: ['door'] }))).toBe('BAD_PARAMS');
    expect(await world.refusal(ann.watch('corner'))).toBe('BAD_PARAMS');
    expect(await world.get(ann.watch('corner', undefined, { states: ['order'] }))).toBeDefined();
    expect((await world.get(server.list())).instances.length).toBe(1);
  });

  test('[FILTER-5] filters that mean the same share a room, others do not', async () => {
    const { world, server } = await shopWorld({ states: ['order'] });
    const rooms: (number | undefined)[] = [];
    const options: readonly WatchOptions[] = [
      { states: ['order.made', 'order'] },
      { except: ['door'] },
      { states: ['order'], clocks: 'shallow' },
      { states: ['order'], context: false },
    ];
    for (const [i, option] of options.entries()) {
      const lines: string[] = [];
      const peer = await world.peer(`reader ${i}`, { record: (line) => lines.push(line) });
      await world.get(peer.watch('corner', undefined, option));
      rooms.push(Number(/"room":(\d+)/.exec(lines.join('\n'))?.[1]));
    }
    expect(rooms[0]).toBe(rooms[1]);
    expect(new Set(rooms).size).toBe(3);
    expect(server.id).toBe('server');
  });
});

describe('how they are told', () => {
  test('[FILTER-3] step by step unless said otherwise: who waits for a state hears of it though it is over within the turn', async () => {
    const { world, own, mirror, plain } = await lightsWorld({ states: ['Green', 'Blink'] });
    const green = mirror.whenNext('Green');
    void own.add('Green');
    void own.add('Red');
    await world.get(green);
    expect([mirror.tick('Green'), mirror.is('Green'), plain.seq]).toEqual([2, false, 3]);
  });

  test('[FILTER-3] shallow clocks: a state that is as it was costs nothing', async () => {
    const { world, own, mirror, plain, lines } = await lightsWorld({ states: ['Blink', 'Night'], clocks: 'shallow' });
    void own.add('Blink');
    await world.settle();
    expect([mirror.is('Blink'), mirror.tick('Blink'), seenIn(lines).length]).toEqual([true, 1, 1]);
    // Multi: it begins anew, its clock moves by two.
    for (let i = 0; i < 5; i++) void own.add('Blink');
    await world.settle();
    expect([mirror.is('Blink'), mirror.tick('Blink'), own.tick('Blink'), seenIn(lines).length]).toEqual([true, 1, 11, 1]);
    void own.remove('Blink');
    await world.settle();
    await world.advance(200);
    expect([mirror.is('Blink'), mirror.tick('Blink'), plain.seq]).toEqual([false, 0, 8]);
  });

  test('[FILTER-4] merged over a time: the first difference at once, the others not before it is over, as one', async () => {
    const { world, own, mirror, lines } = await shopWorld({ every: 1_000 });
    for (let i = 1; i <= 9; i++) {
      own.send({ type: 'NOTE', note: `note ${i}` });
      own.send({ type: 'ORDER' });
      await world.advance(90);
    }
    expect([seenIn(lines).length, mirror.getSnapshot().context.notes]).toEqual([1, ['note 1']]);
    await world.advance(190);
    expect([seenIn(lines).length, mirror.getSnapshot().context.notes.length, mirror.tick('order.none'), mirror.seq]).toEqual([
      2, 9, 10, 19,
    ]);
    expect(mirror.getSnapshot().value).toEqual(own.getSnapshot().value);
    await world.advance(2_000);
    lines.length = 0;
    own.send({ type: 'SHUT' });
    await world.settle();
    expect([seenIn(lines).length, mirror.getSnapshot().hasTag('dark')]).toEqual([1, true]);
  });

  test('[FILTER-4] merged within a turn', async () => {
    const { world, own, mirror, lines } = await lightsWorld({ states: ['Green', 'Red'], every: 0 });
    void own.add('Green');
    void own.add('Red');
    await world.settle();
    expect([seenIn(lines).length, mirror.time(), mirror.is('Red')]).toEqual([1, [2, 1], true]);
  });

  test('[FILTER-4] whoever joins a merged room has what shows now, and so have the others', async () => {
    const { world, own, mirror } = await shopWorld({ every: 1_000 });
    own.send({ type: 'NOTE', note: 'one' });
    await world.advance(10);
    own.send({ type: 'NOTE', note: 'two' });
    await world.advance(10);
    expect(mirror.getSnapshot().context.notes).toEqual(['one']);
    const bob = await world.peer('bob');
    const late = await world.get(bob.watch('corner', shop, { every: 1_000 }));
    own.send({ type: 'NOTE', note: 'three' });
    await world.advance(2_000);
    expect([mirror, late].map((each) => [each.getSnapshot().context.notes, each.seq, each.digest])).toEqual([
      [['one', 'two', 'three'], 4, late.digest],
      [['one', 'two', 'three'], 4, mirror.digest],
    ]);
  });

  test('[FILTER-6] packed, a filter tells a state in a few bytes', async () => {
    const { world, own, mirror, lines } = await shopWorld({ states: ['order'], context: false, clocks: 'shallow' }, true);
    own.send({ type: 'ORDER' });
    await world.settle();
    expect([mirror.getSnapshot().value, lines.length]).toEqual([{ order: { made: 'unpaid' } }, 1]);
    expect(lines[0]).not.toContain('"seen"');
  });
});

describe('relational machines', () => {
  test('[FILTER-1] a face over a filtered mirror asks, waits and mutates; what it leaves out has an error, not an answer', async () => {
    const { world, own, mirror } = await lightsWorld({ except: ['Night'] });
    expect(mirror.names).toEqual(['Blink', 'Exception', 'Green', 'Red']);
    const red = mirror.when('Red');
    void own.add('Red');
    await world.get(red);
    expect([mirror.is('Red'), mirror.not('Green'), mirror.active, mirror.has('Red')]).toEqual([true, true, ['Red'], true]);
    for (const ask of [
      () => mirror.is('Night'),
      () => mirror.not(['Red', 'Night']),
      () => mirror.has('Night'),
      () => mirror.tick('Night'),
      () => mirror.when('Night'),
      () => mirror.stateSignal('Night'),
    ])
      expect(ask).toThrow(/leaves out the state "Night"/);
    expect(() => mirror.whenArgs('Red', { by: 'me' })).toThrow(/args/);
    // It may call what it does not see.
    expect(await world.get(mirror.add('Night'))).toBe(EXECUTED);
    expect([own.is('Night'), await world.get(mirror.canRemove('Night'))]).toEqual([true, true]);
    expect(await world.refusal(mirror.add('Nothing'))).toBe('BAD_PARAMS');
  });
});

describe('views', () => {
  const policy: Policy = {
    allowRead: ({ context }) => !(context as { notes: readonly string[] }).notes.includes('secret'),
    allowWrite: () => true,
    views: { door: ({ value, context }) => ({ value: { door: (value as { door: Json }).door }, context, tags: ['a tag'] }), full: 'all' },
  };
  async function guarded() {
    const world = new World();
    const server = await world.server({ machines: { shop: { definition: shop, policy } } });
    await world.get(server.create('shop', { instance: 'corner' }));
    const own = await world.get(server.watch('corner', shop));
    return { world, own };
  }

  test('[FILTER-5] a filter over a view shows of that view, never more', async () => {
    const { world, own } = await guarded();
    const lines: string[] = [];
    const ann = await world.peer('ann', { record: (line) => lines.push(line) });
    const mirror = await world.get(ann.watch('corner', undefined, { view: 'door', states: ['door.shut', 'order'], context: false }));
    own.send({ type: 'ORDER' });
    own.send({ type: 'NOTE', note: 'hidden' });
    own.send({ type: 'SHUT' });
    await world.settle();
    const snapshot = mirror.getSnapshot();
    expect([snapshot.toJSON(), snapshot.matches('door.shut' as never), snapshot.matches('order.made' as never)]).toEqual([
      { value: { door: 'shut' }, status: 'active', context: {} },
      true,
      false,
    ]);
    expect(() => snapshot.matches('door.open' as never)).toThrow(/"door.open"/);
    expect(() => mirror.tick('door.shut')).toThrow(/does not show/);
    expect(lines.join('\n')).not.toMatch(/hidden|a tag|made|unpaid/);
  });

  test('[FILTER-5] a view that goes is gone for its filters too, merged ones told first of what was before', async () => {
    const { world, own } = await guarded();
    const [ann, bob] = [await world.peer('ann'), await world.peer('bob')];
    const steps = await world.get(ann.watch('corner', undefined, { view: 'full', states: ['door'] }));
    const merged = await world.get(bob.watch('corner', undefined, { view: 'full', every: 5_000 }));
    own.send({ type: 'ORDER' });
    await world.settle();
    own.send({ type: 'SHUT' });
    own.send({ type: 'NOTE', note: 'secret' });
    await world.settle();
    expect([await world.refusal(steps.can({ type: 'SHUT' })), await world.refusal(merged.can({ type: 'SHUT' }))]).toEqual([
      'FORBIDDEN',
      'FORBIDDEN',
    ]);
    expect([steps.getSnapshot().value, merged.getSnapshot().toJSON()]).toEqual([
      { door: 'shut' },
      { value: { door: 'shut', order: { made: 'unpaid' } }, status: 'active', context: { total: 0, notes: [] } },
    ]);
  });

  test('[FILTER-6] a step that is written while a watch waits for its answer is seen by the one who waits', async () => {
    const world = new World();
    const journal = new HeldJournal(new MemoryJournal());
    const server = await world.server({ machines: { shop: { definition: shop } }, journal });
    await world.get(server.create('shop', { instance: 'corner' }));
    const own = await world.get(server.watch('corner', shop));
    const ann = await world.peer('ann');
    journal.isHolding = true;
    own.send({ type: 'NOTE', note: 'one' });
    await world.settle();
    const watching = ann.watch('corner', undefined, { every: 0 });
    await world.settle();
    own.send({ type: 'NOTE', note: 'two' });
    await world.settle();
    journal.release();
    const mirror = await world.get(watching);
    expect([mirror.seq, mirror.getSnapshot().context]).toEqual([3, { total: 0, notes: ['one', 'two'] }]);
  });
});
