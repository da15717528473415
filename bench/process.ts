// Processes of a bench that are asked one question at a time: servers under measurement, which report the CPU time that they took, and
// clients that must not share it. The other end of each is the `child` of a bench file.

import { type ChildProcess, fork } from 'node:child_process';

/** What a process says first, and what it answers to a question. */
type Word = string | number;

export class Helper {
  readonly #process: ChildProcess;

  private constructor(started: ChildProcess) {
    this.#process = started;
  }

  /**
   * @param options `node`: another Node than the one that runs this process; `flags` of it.
   * @returns the process and the first thing that it said, when it is ready.
   */
  static async start(
    words: readonly string[],
    options: { readonly node?: string; readonly flags?: readonly string[] } = {},
  ): Promise<{ readonly helper: Helper; readonly said: Word }> {
    const child = fork(process.argv[1]!, ['--child', ...words], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execPath: options.node ?? process.execPath,
      execArgv: [...(options.flags ?? [])],
    });
    const helper = new Helper(child);
    return { helper, said: await helper.#answer() };
  }

  ask(question: Word): Promise<Word> {
    this.#process.send(question);
    return this.#answer();
  }

  /** CPU seconds that it took so far, kernel and helper threads included. */
  async cpuSeconds(): Promise<number> {
    return Number(await this.ask('cpu'));
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.send('end');
    await ended;
  }

  #answer(): Promise<Word> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`a process of the bench ended with ${code}`));
      this.#process.once('exit', ended);
      this.#process.once('message', (word) => {
        this.#process.off('exit', ended);
        resolve(word as Word);
      });
    });
  }
}

/**
 * The life of such a process, in its `child`: says that it is ready and answers until it is told to end.
 * @param answer for questions other than `cpu` and `end`.
 */
export async function attend(
  first: Word,
  options: { readonly answer?: (question: Word) => Promise<Word>; readonly end: () => unknown },
): Promise<never> {
  process.on('message', (question: Word) => {
    if (question === 'cpu') {
      const { user, system } = process.cpuUsage();
      process.send?.((user + system) / 1e6);
    } else if (question === 'end') {
      void Promise.resolve(options.end()).then(() => process.exit(0));
    } else {
      void options.answer?.(question).then((word) => process.send?.(word));
    }
  });
  process.send?.(first);
  return new Promise(() => undefined);
}

/** Does something `count` times, at most so many at once. */
export async function keepInFlight(count: number, lanes: number, once: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
