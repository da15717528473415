// The numbers of the rooms that this peer has at the relay, and what can be watched in each. A number is given once.

/** What can be watched, in as many rooms as it is told in different ways. */
interface Watched {
  readonly room: { readonly numbers: readonly number[] };
}

export class RoomNumbers<Source extends Watched> {
  readonly #sources = new Map<number, Source>();
  #next = 1;

  /** For what is kept when it is made. */
  next(): number {
    return this.#next++;
  }

  /** One more room of what is there. */
  another(source: Source): number {
    const number = this.next();
    this.#sources.set(number, source);
    return number;
  }

  keep(source: Source): void {
    for (const number of source.room.numbers) this.#sources.set(number, source);
  }

  drop(source: Source): void {
    for (const number of source.room.numbers) this.#sources.delete(number);
  }

  /** This room has ended, what was watched in it goes on. */
  end(number: number): void {
    this.#sources.delete(number);
  }

  get(number: number): Source | undefined {
    return this.#sources.get(number);
  }
}
