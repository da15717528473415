// The exchange that holds the socket of several tabs, with a trunk in memory at its other end.

import { expect, test } from 'vitest';
import { Exchange } from '../../browser/exchange.ts';
import type { ToTab } from '../../browser/tab-messages.ts';
import { LockstepError } from '../../core/errors.ts';
import type { Link } from '../../peer/link.ts';
import { linkPair, TestEnvironment } from '../../peer/testing.ts';
import { Trunk } from '../../peer/trunk.ts';

class Office {
  readonly environment = new TestEnvironment();
  readonly exchange: Exchange;
  /** The relay's ends: of the lines of all sockets so far. */
  readonly lines: Link[] = [];
  readonly shares: unknown[] = [];
  sockets = 0;
  closed = 0;
  isReachable = true;

  constructor() {
    this.exchange = new Exchange({
      share: { group: 'tabs', term: 3 },
      dial: async () => {
        if (!this.isReachable) throw new LockstepError('UNREACHABLE', 'no relay');
        this.sockets++;
        const [near, far] = linkPair(this.environment);
        const trunk = new Trunk(far, { begun: (line) => this.lines.push(line), shared: (share) => this.shares.push(share) });
        far.open({
          frame: (frame) => trunk.receive(frame),
          closed: (code, reason) => {
            this.closed++;
            trunk.ended(code, reason);
          },
        });
        return near;
      },
    });
  }

  join(tab: string): ToTab[] {
    const heard: ToTab[] = [];
    this.exchange.join(tab, (message) => heard.push(message));
    return heard;
  }

  /** A tab's line, up to its first frame. */
  async dial(tab: string, line = 1): Promise<void> {
    this.exchange.receive(tab, { kind: 'dial', line });
    await this.environment.settle();
    this.exchange.receive(tab, { kind: 'frame', line, frame: `${tab}\nhello` });
    await this.environment.settle();
  }
}

test('[TAB-1] many tabs, one socket; it is closed when nobody uses it, and dialled again', async () => {
  const office = new Office();
  const [one, two] = [office.join('one'), office.join('two')];
  await Promise.all([office.dial('one'), office.dial('two')]);
  expect(office.sockets).toBe(1);
  expect(office.shares).toEqual([{ group: 'tabs', term: 3 }]);
  expect([one, two]).toEqual([[{ kind: 'dialled', line: 1 }], [{ kind: 'dialled', line: 1 }]]);
  office.exchange.receive('one', { kind: 'close', line: 1, code: 1000, reason: '' });
  await office.environment.settle();
  expect(office.closed).toBe(0);
  office.exchange.leave('two');
  await office.environment.settle();
  expect(office.closed).toBe(1);
  await office.dial('one', 2);
  expect(office.sockets).toBe(2);
});

test('[TAB-3] a relay that cannot be reached is told to who dialled, and the next one tries again', async () => {
  const office = new Office();
  const heard = office.join('one');
  office.isReachable = false;
  office.exchange.receive('one', { kind: 'dial', line: 1 });
  await office.environment.settle();
  expect(heard).toEqual([{ kind: 'failed', line: 1, code: 'UNREACHABLE', message: 'no relay' }]);
  office.isReachable = true;
  await office.dial('one', 2);
  expect(heard[1]).toEqual({ kind: 'dialled', line: 2 });
});

test('[TAB-3] a line that was given up without a word from the relay takes the socket with it; one that was heard does not', async () => {
  const office = new Office();
  const [one, two] = [office.join('one'), office.join('two')];
  await office.dial('one');
  await office.dial('two');
  office.lines[0]!.open({ frame: () => undefined, closed: () => undefined });
  office.lines[0]!.send('answer');
  await office.environment.settle();
  office.exchange.receive('one', { kind: 'close', line: 1, code: 4000, reason: 'no' });
  await office.environment.settle();
  expect(office.closed).toBe(0);
  await office.dial('one', 2);
  office.exchange.receive('two', { kind: 'close', line: 1, code: 4000, reason: 'TIMEOUT' });
  await office.environment.settle();
  expect(office.closed).toBe(1);
  expect(one.at(-1)).toMatchObject({ kind: 'closed', line: 2, code: 1001 });
  expect(two.at(-1)).toEqual({ kind: 'dialled', line: 1 });
});

test('[TAB-6] a tab that takes nothing is hung up on at 4 Mi characters; one that does hears everything', async () => {
  const office = new Office();
  const [frozen, awake] = [office.join('frozen'), office.join('awake')];
  await office.dial('frozen');
  await office.dial('awake');
  const frame = 'x'.repeat(100_000);
  for (let i = 0; i < 100; i++) {
    for (const line of office.lines) line.send(frame);
    await office.environment.settle();
    office.exchange.receive('awake', { kind: 'took', line: 1, size: frame.length });
  }
  const sizeOf = (heard: readonly ToTab[]): number =>
    heard.reduce((sum, message) => sum + (message.kind === 'frame' ? message.frame.length : 0), 0);
  expect(sizeOf(awake)).toBe(10_000_000);
  expect(sizeOf(frozen)).toBeLessThanOrEqual(4_194_304);
  expect(frozen.at(-1)).toMatchObject({ kind: 'closed', line: 1, code: 4008 });
  expect(office.closed).toBe(0);
});
