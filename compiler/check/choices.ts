// The answers that one step may get, one run after another: depth first, each question once with every answer. A run asks; what it has been
// told before is told again, and the first new question is answered with the first answer.

export class Choices {
  /** What was answered, 0 first; of the run at hand so many as were asked. */
  readonly #answers: number[] = [];
  readonly #counts: number[] = [];
  /** Answers that stand for the run at hand; arrays never shrink, which is slow. */
  #known = 0;
  #asked = 0;

  /** Before the first run of a step. */
  reset(): void {
    this.#known = 0;
    this.#asked = 0;
  }

  /** What the run at hand was told at its question with this index. */
  answer(index: number): number {
    return this.#answers[index]!;
  }

  /** Before each run. */
  begin(): void {
    this.#asked = 0;
  }

  /** @param count how many answers there are. @returns one of them, from 0. */
  choose(count: number): number {
    const index = this.#asked++;
    if (index === this.#known) {
      this.#answers[index] = 0;
      this.#counts[index] = count;
      this.#known += 1;
    }
    return this.#answers[index]!;
  }

  /** After a run. @returns whether there is another one. */
  advance(): boolean {
    this.#known = this.#asked;
    while (this.#known > 0) {
      const last = this.#known - 1;
      this.#answers[last]! += 1;
      if (this.#answers[last]! < this.#counts[last]!) return true;
      this.#known = last;
    }
    return false;
  }
}
