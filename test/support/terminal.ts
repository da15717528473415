// A person at a terminal: a command under a pseudo terminal (util-linux `script` makes one), keys in, and a screen that shows what the
// control sequences do to it. The screen knows those that line editors use; any other is an error, so that none is overlooked.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

export const KEYS = {
  tab: '\t',
  enter: '\r',
  up: '\u001b[A',
  down: '\u001b[B',
  left: '\u001b[D',
  ctrlC: '\u0003',
  ctrlD: '\u0004',
} as const;

const COLUMNS = 80;
const ROWS = 200;

export class Terminal {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Set<() => void>();
  readonly screen = new Screen(COLUMNS);
  /** Everything the command wrote, control sequences too. */
  raw = '';
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;

  /** @param words of the command; none may hold a quote. */
  constructor(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const command = `stty cols ${COLUMNS} rows ${ROWS}; exec ${words.map((word) => `'${word}'`).join(' ')}`;
    this.#process = spawn('script', ['-qfec', command, '/dev/null'], { env: { ...process.env, TERM: 'xterm-256color', ...env } });
    this.#process.stdout.setEncoding('utf8');
    this.#process.stdout.on('data', (text: string) => {
      this.raw += text;
      this.screen.write(text);
      for (const look of [...this.#waiting]) look();
    });
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', resolve);
    });
  }

  type(keys: string): void {
    this.#process.stdin.write(keys);
  }

  /** The screen's lines, as soon as one of them is the text or matches the pattern. */
  shows(line: string | RegExp): Promise<readonly string[]> {
    return this.until((lines) => lines.some((each) => (typeof line === 'string' ? each === line : line.test(each))), String(line));
  }

  /** The screen's lines, as soon as the last of them is the text. */
  endsWith(line: string): Promise<readonly string[]> {
    return this.until((lines) => lines.at(-1) === line, line);
  }

  until(test: (lines: readonly string[]) => boolean, what: string): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`the terminal never showed ${what}:\n${this.screen.lines().join('\n')}`));
      }, 15_000);
      const look = (): void => {
        const lines = this.screen.lines();
        if (!test(lines)) return;
        clearTimeout(timeout);
        this.#waiting.delete(look);
        resolve(lines);
      };
      this.#waiting.add(look);
      look();
    });
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** Rows of characters and a cursor. */
export class Screen {
  readonly #columns: number;
  readonly #rows: string[][] = [[]];
  #row = 0;
  #column = 0;
  /** The beginning of a control sequence whose end has not come yet. */
  #pending = '';

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Without trailing blanks, and without empty lines below the last one that holds anything or the cursor. */
  lines(): readonly string[] {
    return this.#rows
      .slice(
        0,
        Math.max(
          this.#row,
          this.#rows.findLastIndex((row) => row.length > 0),
        ) + 1,
      )
      .map((row) =>
        Array.from(row, (character) => character ?? ' ')
          .join('')
          .trimEnd(),
      );
  }

  write(text: string): void {
    let rest = this.#pending + text;
    this.#pending = '';
    while (rest !== '') {
      if (!rest.startsWith('\u001b')) {
        this.#put(rest[0]!);
        rest = rest.slice(1);
        continue;
      }
      const sequence = /^\u001b\[([0-9;?]*)([A-Za-z])/.exec(rest);
      if (sequence === null) {
        if (rest.length > 20) throw new Error(`a control sequence that is none: ${JSON.stringify(rest.slice(0, 20))}`);
        this.#pending = rest;
        return;
      }
      this.#obey(sequence[2]!, sequence[1]!);
      rest = rest.slice(sequence[0].length);
    }
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#down(1);
    else if (character === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (character !== '\u0007') {
      if (this.#column === this.#columns) {
        this.#column = 0;
        this.#down(1);
      }
      this.#rows[this.#row]![this.#column++] = character;
    }
  }

  #down(count: number): void {
    this.#row += count;
    while (this.#rows.length <= this.#row) this.#rows.push([]);
  }

  #obey(final: string, parameter: string): void {
    const count = Number(parameter === '' ? 1 : parameter);
    if (final === 'm' || final === 'h' || final === 'l') return; // Colours and modes move nothing.
    if (final === 'A') this.#row = Math.max(0, this.#row - count);
    else if (final === 'B') this.#down(count);
    else if (final === 'C') this.#column = Math.min(this.#columns - 1, this.#column + count);
    else if (final === 'D') this.#column = Math.max(0, this.#column - count);
    else if (final === 'G') this.#column = count - 1;
    else if (final === 'J' && (parameter === '' || parameter === '0')) this.#clearDown();
    else if (final === 'K' && (parameter === '' || parameter === '0'))
      this.#rows[this.#row]!.length = Math.min(this.#column, this.#rows[this.#row]!.length);
    else throw new Error(`a control sequence that this screen does not know: ${parameter}${final}`);
  }

  #clearDown(): void {
    const row = this.#rows[this.#row]!;
    row.length = Math.min(row.length, this.#column);
    for (let below = this.#row + 1; below < this.#rows.length; below++) this.#rows[below] = [];
  }
}
