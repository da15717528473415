// A client that means harm, over a real socket: says whatever bytes a test gives it, and keeps every byte that it is sent.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { SUBPROTOCOL } from '../../peer/wire.ts';
import { hello } from './raw-socket.ts';

export class Hostile {
  readonly #socket: WebSocket;
  readonly #heard: Buffer[] = [];
  readonly #answers: ((text: string) => boolean)[] = [];
  #isClosed = false;
  #barriers = 0;
  /** Answers in its own way what is asked of it. */
  answers: (text: string) => string | undefined = () => undefined;

  /** @param fields of its hello; none for a socket without headers. */
  static async open(url: string, fields?: Readonly<Record<string, unknown>>): Promise<Hostile> {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), [SUBPROTOCOL], { perMessageDeflate: false });
    const hostile = new Hostile(socket);
    await once(socket, 'open');
    if (fields === undefined) return hostile;
    const greeted = hostile.until((text) => text.includes('"id":"hello"'));
    hostile.say(hello(fields));
    await greeted;
    return hostile;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#heard.push(data);
      const text = data.toString();
      const answer = this.answers(text);
      if (answer !== undefined) this.say(answer);
      for (const waiting of [...this.#answers]) if (waiting(text)) this.#answers.splice(this.#answers.indexOf(waiting), 1);
    });
    socket.on('error', () => undefined); // What it is refused is looked at by who opened it.
    socket.on('close', () => {
      this.#isClosed = true;
      for (const waiting of this.#answers.splice(0)) waiting('');
    });
  }

  /** Its name, as the relay gave it: the answer to hello lists the others by theirs too. */
  get id(): string {
    return /"peer":"([^"]+)","session"/.exec(this.text)?.[1] ?? '';
  }

  get text(): string {
    return Buffer.concat(this.#heard).toString('latin1');
  }

  /** Which of these texts it was sent. */
  found(texts: readonly string[]): string[] {
    const { text } = this;
    return texts.filter((each) => text.includes(each) || text.includes(Buffer.from(each).toString('base64').slice(1, -3)));
  }

  say(frame: string | Uint8Array): void {
    this.#socket.send(frame);
  }

  /** Resolves with the frame that was waited for; at once when the socket ends. */
  until(isIt: (text: string) => boolean): Promise<string> {
    if (this.#isClosed) return Promise.resolve('');
    return new Promise((resolve) => {
      this.#answers.push((text) => {
        if (text !== '' && !isIt(text)) return false;
        resolve(text);
        return true;
      });
    });
  }

  /** Everything that it said before was handled. */
  async settled(): Promise<void> {
    const id = `barrier ${++this.#barriers}`;
    const answered = this.until((text) => text.includes(`"${id}"`));
    this.say(`server\n${JSON.stringify({ jsonrpc: '2.0', id, method: 'get', params: { image: 'none' } })}`);
    await answered;
  }

  close(): void {
    this.#socket.terminate();
  }
}
