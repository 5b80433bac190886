// What is known of one room, and what it waits for.
import type { Counts, Marker, Message, RoomChanged, RoomState } from "$lib/api/types";
import { Follower, type Past } from "./follower";
import { Reading, isInThreadOnly } from "./reading";
import { Threads } from "./threads";
import { Timeline } from "./timeline";

/** How soon a failed fetch is tried again. */
const FETCH_AGAIN = 2_000;
/** Whether a message speaks to this user: by name, or with all others, or with those who are there. */
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
  /** How many are in it, as was told when it was asked last. */
  members: number | undefined;
  /** Grows whenever somebody has come, gone, or is something else here. */
  membersAt = 1;
  /** What is looked at instead of the timeline, if something is. */
  glance: Glance | undefined;
  /** The newest message of a person that has come. */
  #newest = 0;
  /** The latest change that was told in any way. */
  top = 0;
  /** The latest change that was made here, when all before it was seen. */
  #written = 0;
  /** The user. */
  me = 0;
  /** How far the user has read it. */
  reading = new Reading();
  #counted: ReturnType<Reading["count"]> | undefined;

  constructor(key: string, past: Past) {
    this.about = { room: key, seq: 0 };
    this.follower = new Follower(past);
  }

  get key(): string {
    return this.about.room;
  }

  /** Whether it is the room of the user alone, with notes and reminders. */
  get isSelf(): boolean {
    return this.about.kind === "direct" && (this.about.users?.every((one) => one.user_id === this.me) ?? false);
  }

  /** Messages of others that were not read; MOST_UNREAD at most. Of a room that the user is not in any more nothing is. In the
   *  room of the user alone nothing is of others: 1 when something has come that no device has shown. */
  get unread(): number {
    if (this.isGone) return 0;
    return this.isSelf && !this.about.hidden ? Number(this.top > this.#shown) : this.#count().unread;
  }

  get #shown(): number {
    return Math.max(this.about.read_seq ?? 0, this.#written);
  }

  /** This change was made here. In the room of the user alone all is seen up to it, if all before it was. */
  wrote(seq: number): void {
    if (this.#shown >= seq - 1) this.#written = seq;
  }

  /** Those of them that mention the user. */
  get mentions(): number {
    return this.isGone ? 0 : this.#count().mentions;
  }

  /** Whether what is unread is known, and not only guessed. */
  get isSure(): boolean {
    return this.#count().isSure;
  }

  #count(): ReturnType<Reading["count"]> {
    const { messages, start } = this.timeline;
    return (this.#counted ??= this.reading.count({ messages, start, cursor: this.follower.cursor }, this.me));
  }

  /** Something has come: what is unread is counted anew when it is wanted. */
  recount(): void {
    this.#counted = undefined;
  }

  /** What the server tells of the room. */
  tell(about: RoomState): void {
    this.about = about;
    this.top = Math.max(this.top, about.seq);
  }

  /** What that tells of what is unread. */
  toldUnread(): void {
    const { read_seq, unread, mentions, seq } = this.about;
    this.reading.told(read_seq ?? 0, { unread: unread ?? 0, mentions: mentions ?? 0, at: seq });
    this.recount();
  }

  /** What is unread was asked for under this number, and is told. */
  counted(tag: number, marker: number, counts: Counts): void {
    if (!this.reading.takes(tag)) return;
    this.about = { ...this.about, read_seq: marker };
    this.reading.told(marker, counts);
    this.recount();
  }

  /** The user has read up to here, as one of the devices has said. */
  marked({ seq, at, unread, mentions }: Marker & Partial<Counts>): void {
    if (seq < (this.about.read_seq ?? 0)) this.#written = 0;
    this.about = { ...this.about, read_seq: seq };
    this.reading.moved(seq, at == null ? undefined : { at, unread: unread ?? 0, mentions: mentions ?? 0 });
    this.recount();
  }

  /** A message is about to come, or another form of it. */
  takes(message: Message, isFromHere: boolean): void {
    if (message.kind === "system") this.membersAt += 1;
    this.top = Math.max(this.top, message.seq);
    if (isFromHere) this.wrote(message.seq);
    if (message.seq !== message.id && !isInThreadOnly(message)) this.reading.changes(message, this.me);
    if (message.id > Math.max(this.about.seq, this.#newest) && message.kind !== "system") {
      // A new message of a person brings a hidden room back; an edit or a reaction does not.
      this.#newest = message.id;
      if (this.about.hidden) this.about = { ...this.about, hidden: false };
      if (!isInThreadOnly(message)) this.about = { ...this.about, last_at: message.created_at };
    }
  }

  /** Drops the oldest, if that is too much. What was counted of it holds. */
  trim(): void {
    const { unread, mentions, isSure } = this.#count();
    if (!this.timeline.trim()) return;
    // A page that is on its way would leave a hole behind it.
    this.olderPage = undefined;
    if (isSure) this.reading.told(this.reading.marker, { unread, mentions, at: this.follower.cursor });
    this.recount();
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
      this.recount();
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
    this.#written = 0;
    this.timeline = new Timeline();
    this.threads = new Threads();
    this.olderPage = undefined;
    this.receipts.clear();
    this.reading = new Reading();
    this.recount();
  }

  /** A page that is read from now on may reach beyond what the next socket counts as missed. */
  disconnected(): void {
    this.nextPage = undefined;
    this.reading.disconnected();
  }

  leave(): void {
    this.isGone = true;
    this.follower.stop();
    this.timeline.loadingFailed();
    this.reading.disconnected();
    this.nextPage = this.olderPage = this.againAt = undefined;
  }

  pause(now: number): void {
    this.againAt = now + FETCH_AGAIN;
  }
}
