// The pages of one's rooms that the first frame of a socket has left out.
import type { Outcome } from "./news";

/** How soon a page that did not come is asked for again. */
const LIST_AGAIN = 2_000;

export class Listing {
  cursor: string | undefined;
  #againAt: number | undefined;

  /** `known` are rooms that were known before and not told of: those that are on no page are gone. */
  constructor(readonly known: Set<string>, readonly tag: number) {}

  ask(out: Outcome): void {
    out.effects.push({ do: "list", cursor: this.cursor, tag: this.tag });
  }

  /** The page did not come. */
  pause(now: number): void {
    this.#againAt = now + LIST_AGAIN;
  }

  tick(now: number, out: Outcome): void {
    if ((this.#againAt ?? Infinity) > now) return;
    this.#againAt = undefined;
    this.ask(out);
  }
}
