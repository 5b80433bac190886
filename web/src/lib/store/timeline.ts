// What is at hand of one room, in order: every message from a number on, and none from before it. The rules are those of
// `crates/client/src/store/timeline.rs`.
import type { Message } from "$lib/api/types";

/** Messages kept before `trim` drops the oldest; they are read from the server again when wanted. */
const MAX_ITEMS = 5_000;
/** Messages dropped at once when there are too many. */
const TRIMMED = 1_000;

/** What is known of what lies before the first message. */
export type Older = "unknown" | "more" | "loading" | "all_read";

/** Where a message with this number is, or would be. */
export function placeOf(messages: readonly { id: number }[], id: number): number {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.id ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Timeline {
  #messages: Message[] = [];
  /** All messages with this number or a higher one are here, as far as they have come; undefined before the first page. */
  #start: number | undefined;
  #older: Older = "unknown";
  /** Changes to messages before the start, while a page of these is on its way: it may have been read before them. */
  #aside = new Map<number, Message>();

  /** All of it, oldest first. The array is a new one whenever something has changed. */
  get messages(): readonly Message[] {
    return this.#messages;
  }

  get older(): Older {
    return this.#older;
  }

  get start(): number | undefined {
    return this.#start;
  }

  message(id: number): Message | undefined {
    const found = this.#messages[placeOf(this.#messages, id)];
    return found?.id === id ? found : undefined;
  }

  get last(): Message | undefined {
    return this.#messages.at(-1);
  }

  /** The messages from this number on are what is at hand; `more`: there are others before it. */
  begin(start: number, more: boolean): void {
    const isFirst = !more || start <= 1;
    this.#start = isFirst ? 0 : start;
    this.#older = isFirst ? "all_read" : "more";
  }

  /** Takes messages, or their latest changes. One of before the start would leave a hole behind it. */
  put(messages: readonly Message[]): void {
    let next: Message[] | undefined;
    for (const message of messages) {
      if (this.#start !== undefined && message.id < this.#start) {
        if (this.#older === "loading") this.#aside.set(message.id, message);
        continue;
      }
      next ??= this.#messages.slice();
      const at = placeOf(next, message.id);
      const held = next[at];
      if (held?.id !== message.id) next.splice(at, 0, message);
      else if (held.seq <= message.seq) next[at] = message;
    }
    if (next) this.#messages = next;
  }

  /** Adds a message that is not there. */
  putIfAbsent(message: Message): void {
    if (!this.message(message.id)) this.put([message]);
  }

  /** The message before which to fetch older ones, if there are any and they are not on their way. */
  startLoading(): number | undefined {
    if (this.#start === undefined || this.#older !== "more") return undefined;
    this.#older = "loading";
    return this.#start;
  }

  /** A page of the past has come; `more`: there are others before it. */
  loaded(messages: readonly Message[], more: boolean): void {
    this.begin(messages[0]?.id ?? this.#start ?? 0, more);
    const changed = [...this.#aside.values()];
    this.#aside.clear();
    this.put([...messages, ...changed]);
  }

  /** The page that was on its way will not come. */
  loadingFailed(): void {
    if (this.#older === "loading") this.#older = "more";
    this.#aside.clear();
  }

  /** Drops the oldest, if that is too much. Returns whether it did. */
  trim(): boolean {
    if (this.#messages.length <= MAX_ITEMS) return false;
    this.#messages = this.#messages.slice(TRIMMED);
    this.#aside.clear();
    this.begin(this.#messages[0]?.id ?? 0, true);
    return true;
  }
}
