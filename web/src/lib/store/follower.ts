// Following one room: whatever comes — live messages, replays, pages — leaves here once, in order, without a hole. It says
// what to ask the server for. The rules are those of `crates/client/src/store/follow.rs`.
import type { Message } from "$lib/api/types";

/** Messages kept while those before them are fetched. Beyond it, what comes is dropped, and fetched again later. */
const MAX_AHEAD = 2_000;

/** What is wanted of a room's past: the latest page, or nothing until older messages are asked for. */
export type Past = "pages" | "later";

/** What to do next. */
export type Step =
  | { do: "begin"; id: number }
  | { do: "fetch_latest" }
  | { do: "fetch_since"; seq: number }
  | { do: "sync" }
  | { do: "pause" }
  | { do: "show"; messages: Message[] }
  | { do: "forget" };

type Asked = "nothing" | "latest" | "sync" | "pages";

export class Follower {
  #past: Past;
  /** Everything up to here has been shown; undefined before the first page. */
  #cursor: number | undefined;
  /** The room's last change when the socket opened. */
  #floor = 0;
  /** The latest change that the server has announced without sending it. */
  #known = 0;
  #ahead = new Map<number, Message>();
  /** What the latest page knows beyond the floor: message and change. It has been shown. */
  #told = new Map<number, number>();
  #asked: Asked = "nothing";

  constructor(past: Past) {
    this.#past = past;
  }

  get cursor(): number {
    return this.#cursor ?? 0;
  }

  /** Everything up to here was shown before: the next socket brings what has come since. */
  restore(cursor: number): void {
    this.#cursor = cursor;
  }

  /** What is wanted of the past when the next history begins. */
  want(past: Past): void {
    this.#past = past;
  }

  /** The reader is not in the room any more. */
  stop(): void {
    this.#ahead.clear();
    this.#known = 0;
    this.#asked = "nothing";
  }

  /** A socket has opened, and `floor` is the room's last change. */
  connected(floor: number, isSameHistory: boolean): Step[] {
    this.#ahead.clear();
    this.#known = 0;
    this.#floor = floor;
    // A cursor beyond the room's end is from another history too, whatever its name says.
    const isSame = isSameHistory && (this.#cursor === undefined || this.#cursor <= floor);
    if (isSame && this.#cursor !== undefined) return this.#askSync();
    return this.#startOver(!isSame);
  }

  #startOver(forget: boolean): Step[] {
    this.#ahead.clear();
    this.#told.clear();
    const steps: Step[] = forget ? [{ do: "forget" }] : [];
    if (this.#past === "later") {
      this.#cursor = this.#floor;
      this.#asked = "nothing";
      steps.push({ do: "begin", id: this.#floor + 1 });
    } else {
      this.#cursor = undefined;
      this.#asked = "latest";
      steps.push({ do: "fetch_latest" });
    }
    return steps;
  }

  /** A message came on the socket. */
  message(message: Message): Step[] {
    if (this.#cursor === undefined) {
      this.#keep(message);
      return [];
    }
    if (message.seq <= this.#cursor) return [];
    this.#keep(message);
    const steps = this.#showContiguous();
    if (this.#ahead.size > 0 && this.#asked === "nothing") steps.push(...this.#askSync());
    return steps;
  }

  /** The answer to `sync` is complete, or has to be read page by page. */
  synced(seq: number, complete: boolean): Step[] {
    if (this.#cursor === undefined) return [];
    if (!complete) {
      this.#asked = "pages";
      return [{ do: "fetch_since", seq: this.#cursor }];
    }
    this.#asked = "nothing";
    return this.#reach(seq);
  }

  /** The server could not send everything up to `seq`. */
  lag(seq: number): Step[] {
    this.#known = Math.max(this.#known, seq);
    // What is asked for already may bring it; if not, it is asked for then.
    return this.#asked === "nothing" ? this.#reach(0) : [];
  }

  /** The `sync` that was asked for is refused, with this code. */
  refused(code: string): Step[] {
    return code === "epoch_changed" || code === "cursor_ahead" ? this.#startOver(true) : [{ do: "pause" }];
  }

  /** The latest page, oldest first. */
  latest(page: Message[]): Step[] {
    if (this.#asked !== "latest") return [];
    this.#asked = "nothing";
    // What came after the floor is sent as well. A page knows a part of it, perhaps in a later form.
    this.#told = new Map(page.filter((one) => one.seq > this.#floor).map((one) => [one.id, one.seq]));
    this.#cursor = this.#floor;
    return [{ do: "show", messages: page }, ...this.#reach(this.#floor)];
  }

  /** A page of changes, in the order of their numbers; `more`: there are others after it. */
  page(page: Message[], more: boolean): Step[] {
    const cursor = this.#cursor;
    if (this.#asked !== "pages" || cursor === undefined) return [];
    const news = page.filter((one) => one.seq > cursor).sort((a, b) => a.seq - b.seq);
    const reached = news.at(-1)?.seq ?? cursor;
    this.#cursor = reached;
    const steps = this.#show(news);
    if (!more || reached === cursor) {
      this.#asked = "nothing";
      steps.push(...this.#reach(reached));
    } else {
      steps.push({ do: "fetch_since", seq: reached });
    }
    return steps;
  }

  /** A request has failed: what to ask again, once some time has passed. */
  again(): Step[] {
    if (this.#asked === "latest") return [{ do: "fetch_latest" }];
    if (this.#cursor === undefined) return [];
    if (this.#asked === "pages") return [{ do: "fetch_since", seq: this.#cursor }];
    return this.#asked === "sync" ? this.#askSync() : [];
  }

  /** Whether something is on its way that fills what was missed. */
  get isCatchingUp(): boolean {
    return this.#asked === "sync" || this.#asked === "pages";
  }

  #askSync(): Step[] {
    this.#asked = "sync";
    return [{ do: "sync" }];
  }

  #keep(message: Message): void {
    if (this.#ahead.size < MAX_AHEAD) this.#ahead.set(message.seq, message);
  }

  /** Everything up to `seq` has come: shows what was kept of it and what follows without a hole. */
  #reach(seq: number): Step[] {
    const cursor = this.cursor;
    const ready: Message[] = [];
    for (const [at, message] of [...this.#ahead].sort(([a], [b]) => a - b)) {
      if (at > seq) break;
      this.#ahead.delete(at);
      if (at > cursor) ready.push(message);
    }
    this.#cursor = Math.max(cursor, seq);
    const steps = [...this.#show(ready), ...this.#showContiguous()];
    if (this.#ahead.size > 0 || this.#cursor < this.#known) steps.push(...this.#askSync());
    return steps;
  }

  #showContiguous(): Step[] {
    const ready: Message[] = [];
    let cursor = this.cursor;
    for (let next = this.#ahead.get(cursor + 1); next; next = this.#ahead.get(cursor + 1)) {
      cursor += 1;
      this.#ahead.delete(cursor);
      ready.push(next);
    }
    this.#cursor = cursor;
    return this.#show(ready);
  }

  /** Shows messages, but not as they were before they were shown. */
  #show(messages: Message[]): Step[] {
    const fresh = messages.filter((one) => !((this.#told.get(one.id) ?? -1) >= one.seq));
    return fresh.length > 0 ? [{ do: "show", messages: fresh }] : [];
  }
}
