// Every byte that a peer is sent, as it came off its links; and the search for what must not be in it, plain, in JSON's escapes and in base64.

import { linkPair } from '../../peer/pair.ts';
import type { Dial, Frame, Link, LinkEvents } from '../../peer/link.ts';
import type { World } from './world.ts';

export class Capture {
  readonly frames: Frame[] = [];
  readonly #links = new Set<Link>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Like the dial of a peer in that world, and listens. */
  readonly dial: Dial = async () => {
    const [near, far] = linkPair(this.#world.environment);
    this.#world.hub.attach(far);
    this.#links.add(near);
    return {
      get bufferedBytes() {
        return near.bufferedBytes;
      },
      open: (events: LinkEvents) =>
        near.open({
          frame: (frame) => {
            this.frames.push(frame);
            events.frame(frame);
          },
          closed: (code, reason) => {
            this.frames.push(reason);
            events.closed(code, reason);
          },
        }),
      send: (frame: Frame) => near.send(frame),
      close: (code: number, reason: string) => near.close(code, reason),
    };
  };

  /** Ends the links that there are; the peer dials again. */
  cut(): void {
    for (const link of this.#links) link.close(1001, 'the test has cut the network');
    this.#links.clear();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.frames.map((frame) => Buffer.from(frame)));
  }

  /** Which of these texts are in what came. */
  found(texts: readonly string[]): string[] {
    const { bytes } = this;
    return texts.filter((text) => formsOf(text).some((form) => bytes.includes(form)));
  }
}

/** A text as bytes can hold it; base64 depends on where in three bytes it begins, and its first and last letters on its neighbours. */
function formsOf(text: string): readonly string[] {
  const escaped = [...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const encoded = [0, 1, 2].map((shift) => {
    const base64 = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)])
      .toString('base64')
      .replace(/=+$/, '');
    return base64.slice(shift === 0 ? 0 : shift + 1, -2);
  });
  return [text, escaped, ...encoded];
}
