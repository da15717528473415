// The answers that one step may get, one run after another: depth first, each question once with every answer. A run asks; what it has been
// told before is told again, and the first new question is answered with the first answer.

export class Choices {
  /** Of the run at hand: what was answered, 0 first. */
  readonly answers: number[] = [];
  readonly #counts: number[] = [];
  #asked = 0;

  /** Before the first run of a step. */
  reset(): void {
    this.answers.length = 0;
    this.#counts.length = 0;
    this.#asked = 0;
  }

  /** Before each run. */
  begin(): void {
    this.#asked = 0;
  }

  /** @param count how many answers there are. @returns one of them, from 0. */
  choose(count: number): number {
    const index = this.#asked++;
    if (index === this.answers.length) {
      this.answers.push(0);
      this.#counts.push(count);
    }
    return this.answers[index]!;
  }

  /** After a run. @returns whether there is another one. */
  advance(): boolean {
    const { answers } = this;
    answers.length = this.#asked;
    this.#counts.length = this.#asked;
    while (answers.length > 0) {
      const last = answers.length - 1;
      answers[last]! += 1;
      if (answers[last]! < this.#counts[last]!) return true;
      answers.pop();
      this.#counts.pop();
    }
    return false;
  }
}
