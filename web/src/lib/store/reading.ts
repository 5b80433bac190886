// How far the user has read a room, and what is unread above that. The rules are those of
// `crates/client/src/store/reading.rs`: the server tells what is unread as of a change of the room, and what comes after that
// is counted here. Where all messages above the marker are at hand they are counted, and nothing told is needed. Where they
// are not, and one of those that were told of has changed, no one can say without asking: then it is asked.
import type { Counts, Message } from "$lib/api/types";
import { placeOf } from "./timeline";

/** Where counts stop. */
export const MOST_UNREAD = 1_000;
/** How long to wait before what is unread is asked for again. */
const ASK_AGAIN = 2_000;

export const isInThreadOnly = (message: Message): boolean => message.thread != null && !message.also_to_room;
export const isWritten = (message: Message): boolean => message.kind !== "system" && message.deleted_at == null;

/** Whether a message counts as a mention of this user: by name, or of all in the room. Who is just there is not counted. */
const isFor = (message: Message, me: number): boolean => (message.mentions ?? []).some((one) => one.user_id === me || one.room === true);

/** What is at hand of the messages that are counted: all from `start` on, as of the change `cursor`. */
export interface AtHand {
  messages: readonly Message[];
  start: number | undefined;
  cursor: number;
}

export class Reading {
  /** Where the marker is, as the server has it. */
  marker = 0;
  /** What was told: what is unread above the marker `above`, as of the change `at`. */
  #told: (Counts & { above: number }) | undefined;
  /** The latest change of what may be unread and was not at hand as it was before. */
  #doubt = 0;
  /** Of the changes that came before what will be told of them: the lowest message, and the latest change. */
  #ahead: { id: number; seq: number } | undefined;
  /** The number under which what is unread was asked for, and when it may be asked again. */
  #asked: number | undefined;
  #askAt = 0;

  /** The server tells all of it. */
  told(marker: number, counts: Counts): void {
    const { at, unread, mentions } = counts;
    this.marker = marker;
    this.#told = { above: marker, at, unread, mentions };
    if (!this.#ahead || this.#ahead.seq <= at) this.#ahead = undefined;
    else if (this.#ahead.id <= at) this.#doubt = Math.max(this.#doubt, this.#ahead.seq);
  }

  /** One of the user's devices has moved the marker. What was asked for before that is of no use. */
  moved(marker: number, counts: Counts | undefined): void {
    this.#asked = undefined;
    this.marker = marker;
    if (counts) this.told(marker, counts);
  }

  /** A message is about to change that may be one of those that were told of: as it was before it is not at hand. */
  changes(message: Message, me: number): void {
    const { at, above } = this.#told ?? { at: 0, above: 0 };
    const isOther = message.kind !== "system" && message.user_id !== me;
    if (!isOther || (message.edited_at == null && message.deleted_at == null) || message.seq <= at) return;
    if (message.id <= at && message.id > above) this.#doubt = Math.max(this.#doubt, message.seq);
    // What is told next may be older than this.
    const { id, seq } = this.#ahead ?? message;
    this.#ahead = { id: Math.min(id, message.id), seq: Math.max(seq, message.seq) };
  }

  /** What is unread, as far as it can be known, and whether it is known and not only guessed. */
  count({ messages, start, cursor }: AtHand, me: number): { unread: number; mentions: number; isSure: boolean } {
    const told = this.#told?.above === this.marker ? this.#told : undefined;
    const at = this.#told?.at ?? 0;
    const isCovered = start !== undefined && start <= this.marker + 1;
    const isJoined = start === undefined || start <= at + 1;
    const isFromTold = told !== undefined && (cursor < at || !isCovered);
    let { unread, mentions } = isFromTold ? told : { unread: 0, mentions: 0 };
    const from = isFromTold ? Math.max(at, this.marker) : this.marker;
    for (let place = placeOf(messages, from + 1); place < messages.length; place++) {
      const message = messages[place] as Message;
      if (!isWritten(message) || message.user_id === me) continue;
      unread += 1;
      if (isFor(message, me)) mentions += 1;
      // What is counted is no more than this, however much is at hand.
      if (mentions >= MOST_UNREAD) break;
    }
    const isTold = told !== undefined && this.#doubt <= at && isJoined;
    return { unread: Math.min(unread, MOST_UNREAD), mentions: Math.min(mentions, MOST_UNREAD), isSure: isCovered || isTold };
  }

  /** Whether what is unread, and not known, is to be asked for now, under this number. */
  ask(now: number, number: number): boolean {
    if (now < this.#askAt) return false;
    this.#askAt = now + ASK_AGAIN;
    this.#asked = number;
    return true;
  }

  /** Whether this is the answer that is waited for. */
  takes(number: number): boolean {
    const isAwaited = this.#asked === number;
    if (isAwaited) this.#asked = undefined;
    return isAwaited;
  }

  /** The socket is gone, and with it what was asked for. */
  disconnected(): void {
    this.#asked = undefined;
    this.#askAt = 0;
  }
}
