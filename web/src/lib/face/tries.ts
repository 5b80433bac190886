// What is asked of the server under a name of its own, so that it is done once however often it is asked for: whoever asks
// again after a lost answer asks under the same name.
import { Refusal } from "$lib/api/http";
import { randomId } from "./random";

/** For so long the same words mean the same deed, where it is not known what became of it. */
const SAME = 5 * 60_000;

export class Tries {
  readonly #open = new Map<string, { client_id: string; at: number }>();

  /** Asks for `what`; `ask` is given its name. */
  async do<T>(what: string, ask: (client_id: string) => Promise<T>): Promise<T> {
    const before = this.#open.get(what);
    const client_id = before && Date.now() - before.at < SAME ? before.client_id : randomId();
    this.#open.set(what, { client_id, at: Date.now() });
    try {
      const done = await ask(client_id);
      this.#open.delete(what);
      return done;
    } catch (error) {
      if (!isUncertain(error)) this.#open.delete(what);
      throw error;
    }
  }
}

/** Whether it may have been done all the same. */
export const isUncertain = (error: unknown): boolean =>
  !(error instanceof Refusal) || error.status === 0 || error.code === "outcome_unknown" || (error.status >= 500 && error.status !== 503);
