// What is known of one room, and what it waits for.
import type { Counts, Marker, Message, RoomChanged, RoomState } from "$lib/api/types";
import { Follower, type Past } from "./follower";
import { Threads } from "./threads";
import { Timeline } from "./timeline";

/** How soon a failed fetch is tried again. */
const FETCH_AGAIN = 2_000;
/** Unread messages that are counted. */
export const MOST_UNREAD = 1_000;

export const isInThreadOnly = (message: Message): boolean => message.thread != null && !message.also_to_room;
export const isWritten = (message: Message): boolean => message.kind !== "system" && message.deleted_at == null;

/** Whether a message mentions this user, by name or with all others. */
export const mentions = (message: Message, me: number): boolean =>
  message.user_id !== me && (message.mentions ?? []).some((one) => one.user_id === me || one.room === true || one.here === true);

/** A stretch of the past that does not reach up to now: what a link led to. */
export interface Glance {
  messages: readonly Message[];
  /** Whether there are others before and behind it. */
  older: boolean;
  newer: boolean;
}

export class Room {
  about: RoomState;
  /** The history that its numbers belong to. */
  epoch: string | undefined;
  /** The user is not in it any more. What was held stays, and nothing comes to it. */
  isGone = false;
  follower: Follower;
  timeline = new Timeline();
  threads = new Threads();
  /** The fetch that the follower waits for, and that of older messages. */
  nextPage: number | undefined;
  olderPage: number | undefined;
  /** When the follower is to ask again. */
  againAt: number | undefined;
  /** How far others have read, of those who show it. */
  receipts = new Map<number, number>();
  /** Grows whenever somebody has come, gone, or is something else here. */
  membersAt = 1;
  /** What is looked at instead of the timeline, if something is. */
  glance: Glance | undefined;
  /** The newest message of a person that has come. */
  #newest = 0;
  /** The latest change that was told in any way. */
  top = 0;
  /** What the server has counted, up to the change `at`; what comes after is counted here. */
  #base: Counts = { at: 0, mentions: 0, unread: 0 };
  #later = new Map<number, boolean>();

  constructor(key: string, past: Past) {
    this.about = { room: key, seq: 0 };
    this.follower = new Follower(past);
  }

  get key(): string {
    return this.about.room;
  }

  /** Messages of others that were not read; MOST_UNREAD at most. */
  get unread(): number {
    return Math.min(this.#base.unread + this.#later.size, MOST_UNREAD);
  }

  /** Those of them that mention the user. */
  get mentions(): number {
    let count = this.#base.mentions;
    for (const isMention of this.#later.values()) if (isMention) count += 1;
    return Math.min(count, MOST_UNREAD);
  }

  /** What the server tells of the room. */
  tell(about: RoomState): void {
    this.about = about;
    this.top = Math.max(this.top, about.seq);
    this.#base = { at: about.seq, mentions: about.mentions ?? 0, unread: about.unread ?? 0 };
    for (const id of this.#later.keys()) if (id <= about.seq) this.#later.delete(id);
  }

  /** The user has read up to here, as one of the devices has said. */
  marked(marker: Marker & Partial<Counts>): void {
    this.about = { ...this.about, read_seq: marker.seq };
    for (const id of this.#later.keys()) if (id <= Math.max(marker.seq, marker.at ?? 0)) this.#later.delete(id);
    if (marker.at != null) this.#base = { at: marker.at, mentions: marker.mentions ?? 0, unread: marker.unread ?? 0 };
    else this.#base = { at: marker.seq, mentions: 0, unread: 0 };
  }

  /** Counts a message that has come, or another form of it. */
  count(message: Message, me: number): void {
    if (message.kind === "system") this.membersAt += 1;
    this.top = Math.max(this.top, message.seq);
    const readSeq = this.about.read_seq ?? 0;
    if (message.user_id === me || message.id <= readSeq || isInThreadOnly(message)) {
      this.#later.delete(message.id);
    } else if (message.id > this.#base.at) {
      if (!isWritten(message)) this.#later.delete(message.id);
      else this.#later.set(message.id, mentions(message, me));
    } else if (message.deleted_at != null && message.seq > this.#base.at && this.#base.unread > 0) {
      // It was counted, and is not any more.
      const held = this.timeline.message(message.id);
      const wasMention = held ? mentions(held, me) : false;
      const isFirstTold = !held || held.deleted_at == null;
      if (isFirstTold) {
        this.#base = {
          ...this.#base,
          unread: this.#base.unread - 1,
          mentions: Math.max(0, this.#base.mentions - (wasMention ? 1 : 0)),
        };
      }
    }
    if (message.id > Math.max(this.about.seq, this.#newest) && message.kind !== "system") {
      // A new message of a person brings a hidden room back; an edit or a reaction does not.
      this.#newest = message.id;
      if (this.about.hidden) this.about = { ...this.about, hidden: false };
      if (!isInThreadOnly(message)) this.about = { ...this.about, last_at: message.created_at };
    }
  }

  /** The user's own view of the room has changed. To have been hidden before the newest message came is over. */
  changed(news: RoomChanged): void {
    const next: Record<string, unknown> = { ...this.about };
    for (const field of news.changed) {
      if (field === "draft") continue;
      const value = news[field];
      if (value == null) delete next[field];
      else next[field] = value;
    }
    if (news.changed.includes("hidden") && this.#newest > (news.seq ?? 0)) next.hidden = false;
    this.about = next as unknown as RoomState;
    if (news.seq != null) this.top = Math.max(this.top, news.seq);
  }

  /** What is known of the room now, as the first frame of a socket would tell it. */
  state(): RoomState {
    return { ...this.about, seq: this.top, unread: this.unread, mentions: this.mentions };
  }

  /** Takes a stretch of the past, or more of it. One that reaches what is at hand becomes a part of that. */
  glanceAt(messages: readonly Message[], older: boolean, newer: boolean): void {
    const start = this.timeline.start;
    const last = messages.at(-1)?.id ?? 0;
    if (start !== undefined && (!newer || last + 1 >= start)) {
      this.timeline.loaded(messages, older);
      this.glance = undefined;
    } else {
      this.glance = { messages, older, newer };
    }
  }

  /** Messages have changed, of which some may be looked at. */
  refresh(messages: readonly Message[]): void {
    const glance = this.glance;
    if (!glance) return;
    const news = new Map(messages.map((one) => [one.id, one]));
    this.glance = { ...glance, messages: glance.messages.map((one) => {
      const next = news.get(one.id);
      return next && next.seq >= one.seq ? next : one;
    }) };
  }

  forget(): void {
    this.glance = undefined;
    this.top = this.about.seq;
    this.timeline = new Timeline();
    this.threads = new Threads();
    this.olderPage = undefined;
    this.receipts.clear();
    this.#later.clear();
  }

  leave(): void {
    this.isGone = true;
    this.follower.stop();
    this.timeline.loadingFailed();
    this.nextPage = this.olderPage = this.againAt = undefined;
  }

  pause(now: number): void {
    this.againAt = now + FETCH_AGAIN;
  }
}
