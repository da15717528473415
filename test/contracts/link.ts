// What every Link promises, whatever carries it: sockets, pairs in memory, the simulator's. Each implementation runs this suite.

import { describe, expect, test } from 'vitest';
import type { Frame, Link } from '../../peer/link.ts';

export interface LinkBench {
  readonly ends: readonly [Link, Link];
  /** Resolves when all that was sent has arrived. */
  settle(): Promise<void>;
}

export interface Heard {
  readonly frames: Frame[];
  readonly closed: [code: number, reason: string][];
}

/** Opens a link and keeps what it hears. */
export function listen(link: Link): Heard {
  const heard: Heard = { frames: [], closed: [] };
  link.open({ frame: (frame) => heard.frames.push(frame), closed: (code, reason) => heard.closed.push([code, reason]) });
  return heard;
}

/** @param make two fresh ends of one link. */
export function linkContract(name: string, make: () => LinkBench | Promise<LinkBench>): void {
  describe(`link: ${name}`, () => {
    test('[LINK-1] frames arrive whole, in the order they were sent, both ways', async () => {
      const {
        ends: [near, far],
        settle,
      } = await make();
      const atNear = listen(near);
      const atFar = listen(far);
      const frames = Array.from({ length: 50 }, (_, i) => `a\n${i} ${'€'.repeat(i)}`);
      for (const frame of frames) near.send(frame);
      far.send('b\nback');
      await settle();
      expect(atFar.frames).toEqual(frames);
      expect(atNear.frames).toEqual(['b\nback']);
    });

    test('[LINK-1] binary frames stay binary', async () => {
      const {
        ends: [near, far],
        settle,
      } = await make();
      const atFar = listen(far);
      listen(near);
      near.send(new Uint8Array([0, 10, 255]));
      await settle();
      expect(atFar.frames.map((frame) => (typeof frame === 'string' ? frame : [...frame]))).toEqual([[0, 10, 255]]);
    });

    test('[LINK-2] frames that came before open are delivered first', async () => {
      const {
        ends: [near, far],
        settle,
      } = await make();
      listen(near);
      near.send('a\nearly');
      await settle();
      const atFar = listen(far);
      near.send('a\nlate');
      await settle();
      expect(atFar.frames).toEqual(['a\nearly', 'a\nlate']);
    });

    test('[LINK-3] both ends hear once that it closed, with code and reason, and nothing after', async () => {
      const {
        ends: [near, far],
        settle,
      } = await make();
      const atNear = listen(near);
      const atFar = listen(far);
      near.send('a\nlast');
      near.close(4001, 'replaced');
      near.close(4000, 'again');
      near.send('a\nafter');
      far.send('b\nafter');
      await settle();
      expect(atFar).toEqual({ frames: ['a\nlast'], closed: [[4001, 'replaced']] });
      expect(atNear.frames).toEqual([]);
      expect(atNear.closed).toHaveLength(1);
    });

    test('[LINK-4] send on a closed link does nothing', async () => {
      const {
        ends: [near, far],
        settle,
      } = await make();
      listen(near);
      const atFar = listen(far);
      far.close(1000, '');
      await settle();
      near.send('a\nlost');
      await settle();
      expect(atFar.frames).toEqual([]);
      expect(near.bufferedBytes).toBeGreaterThanOrEqual(0);
    });
  });
}
