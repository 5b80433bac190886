// What is known of a room's threads: what stands under their first messages, and those replies that have come.
import type { Message, Replies } from "$lib/api/types";

/** Replies kept; the oldest are dropped, and read from the server again when wanted. */
const MOST_KEPT = 5_000;

export class Threads {
  #replies = new Map<number, Replies>();
  #messages = new Map<number, Message>();
  /** How far threads are read. */
  #read = new Map<number, number>();
  /** Threads whose pages have been read to the end. */
  #whole = new Set<number>();

  replies(first: number): Replies | undefined {
    return this.#replies.get(first);
  }

  /** The replies of a thread that are at hand, oldest first. */
  messages(first: number): Message[] {
    return [...this.#messages.values()].filter((one) => one.thread === first).sort((a, b) => a.id - b.id);
  }

  message(id: number): Message | undefined {
    return this.#messages.get(id);
  }

  /** One of the user's devices has said how far a thread is read; or that it is not, from there on. */
  marked(first: number, seq: number): void {
    this.#read.set(first, seq);
  }

  /** How far a thread is read, as far as was told. */
  readUpTo(first: number): number | undefined {
    return this.#read.get(first);
  }

  /** Whether a reply was read in its thread, as far as was told. */
  isRead({ thread, id }: Message): boolean {
    return thread != null && id <= (this.#read.get(thread) ?? 0);
  }

  isWhole(first: number): boolean {
    return this.#whole.has(first);
  }

  setWhole(first: number): void {
    this.#whole.add(first);
  }

  take(message: Message): void {
    const [first, told] = message.thread ? [message.thread, message.thread_replies] : [message.id, message.replies];
    const known = this.#replies.get(first);
    // What comes may have been read before what has come.
    if (told && (known?.seq ?? -1) <= told.seq) this.#replies.set(first, told);
    if (!message.thread) return;
    if ((this.#messages.get(message.id)?.seq ?? -1) <= message.seq) this.#messages.set(message.id, message);
    if (this.#messages.size > MOST_KEPT) {
      const oldest = Math.min(...this.#messages.keys());
      this.#whole.delete(this.#messages.get(oldest)?.thread ?? 0);
      this.#messages.delete(oldest);
    }
  }
}
