// What the user has done and the server has not yet acknowledged. It is sent again after a lost connection, and that doubles
// nothing: a message carries a `client_id` for ever, and any other deed leaves the message as it was left the first time. What
// the same user has edited meanwhile, on another device, no edit overwrites unseen: it says which text it was begun from.
// The rules are those of `crates/client/src/store/outbox.rs`; what waits is kept by `lib/outbox`.
import type { Ack, ErrorFrame, Limits, Message, Said } from "$lib/api/types";

/** After this time without an answer a message is sent again. */
export const ANSWER_TIME = 15_000;

/** What is to be done. */
export type Deed =
  | { do: "post"; reply_to?: number; thread?: number; also_to_room?: boolean }
  /** With the number that the message had when it was begun: if it was edited since then, the server refuses that. */
  | { do: "edit"; id: number; seq?: number }
  | { do: "delete"; id: number }
  | { do: "react"; id: number; on: boolean }
  | { do: "pin"; id: number; on: boolean };

/** A message that is not in history yet, or a change of one. */
export interface Pending {
  client_id: string;
  /** The order in which they were written, in all tabs of this browser. */
  order: number;
  room: string;
  deed: Deed;
  content: string;
  /** When it was written. */
  at: number;
  delivery: "waiting" | "sent" | "refused";
  /** When it was last sent. */
  sent_at?: number;
  /** Why it was refused. */
  why?: string;
  code?: string;
  /** It was sent, and no one knows whether it has arrived. */
  is_tried: boolean;
}

/** Whether it has a text, which can be corrected when it is refused. */
export const hasText = (deed: Deed): boolean => deed.do === "post" || deed.do === "edit";

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** The frame that asks for a deed. */
export function frameOf({ client_id, room, deed, content }: Pick<Pending, "client_id" | "room" | "deed" | "content">): Said {
  const ref = client_id;
  switch (deed.do) {
    case "post": {
      const { reply_to, thread, also_to_room } = deed;
      const extras = { ...(reply_to && { reply_to }), ...(thread && { thread }), ...(also_to_room && { also_to_room }) };
      return { type: "message", ref, room, client_id, content, ...extras };
    }
    case "edit": return { type: "edit", ref, room, id: deed.id, content, ...(deed.seq !== undefined && { if_seq: deed.seq }) };
    case "delete": return { type: "delete", ref, room, id: deed.id };
    case "react": return { type: "react", ref, room, id: deed.id, emoji: content, on: deed.on };
    case "pin": return { type: "pin", ref, room, id: deed.id, on: deed.on };
  }
}

/** Why a text cannot be sent: so many bytes too long as a text, or as it travels. */
export interface TooLong {
  kind: "content" | "frame";
  bytes: number;
  most: number;
}

/** Whether a server with these limits would take a message, as far as its length goes. Counted as it is stored, and as it
 *  travels: what is short enough as a text may not be as JSON. */
export function tooLong(limits: Pick<Limits, "content_bytes" | "frame_bytes">, room: string, content: string): TooLong | undefined {
  const bytes = bytesOf(content);
  if (bytes > limits.content_bytes) return { kind: "content", bytes, most: limits.content_bytes };
  const frame = frameOf({ client_id: "0".repeat(32), room, deed: { do: "post", reply_to: 2 ** 50 }, content });
  const travels = bytesOf(JSON.stringify(frame));
  if (travels > limits.frame_bytes) return { kind: "frame", bytes: travels, most: limits.frame_bytes };
  return undefined;
}

/** What was done in all rooms. Each change of an entry makes a new one, so that a face sees what is new. */
export class Outbox {
  #all: Pending[] = [];
  /** The number that a message has since an edit of one's own, by the one that this was begun from. */
  #own = new Map<string, number>();
  #holds = new Map<string, { hold: number; slow: number }>();
  /** Called with each entry that is another, and with the id of each that is out. */
  onchange: (put: Pending | undefined, drop: string | undefined) => void = () => {};

  get all(): readonly Pending[] {
    return this.#all;
  }

  of(room: string): Pending[] {
    return this.#all.filter((one) => one.room === room);
  }

  find(client_id: string): Pending | undefined {
    return this.#all.find((one) => one.client_id === client_id);
  }

  /** Messages that would be lost if all were forgotten now. */
  get unsent(): number {
    return this.#all.filter((one) => hasText(one.deed) || one.delivery !== "refused").length;
  }

  /** For how long the server asked to wait with the next message, and whether because of the room's slow mode. */
  hold(room: string, now: number): { left: number; isSlow: boolean } | undefined {
    const { hold = 0, slow = 0 } = this.#holds.get(room) ?? {};
    const left = Math.max(hold, slow) - now;
    return left > 0 ? { left, isSlow: slow > hold } : undefined;
  }

  /** Its slow mode is off: what it held back goes out. */
  endSlow(room: string): void {
    const holds = this.#holds.get(room);
    if (holds) this.#holds.set(room, { ...holds, slow: 0 });
  }

  /** Takes over an entry as it now is, from this tab or another. */
  put(entry: Pending): void {
    const at = this.#all.findIndex((one) => one.client_id === entry.client_id);
    if (at >= 0) this.#all = this.#all.with(at, entry);
    else this.#all = [...this.#all, entry].sort((a, b) => a.order - b.order);
  }

  drop(client_id: string): void {
    this.#all = this.#all.filter((one) => one.client_id !== client_id);
  }

  clear(): void {
    this.#all = [];
  }

  #change(entry: Pending, change: Partial<Pending>): void {
    const next = { ...entry, ...change };
    this.put(next);
    this.onchange(next, undefined);
  }

  #take(client_id: string | null | undefined): Pending | undefined {
    const found = client_id ? this.find(client_id) : undefined;
    if (!found) return undefined;
    this.drop(found.client_id);
    this.onchange(undefined, found.client_id);
    return found;
  }

  /** An edit that was begun before an earlier one of one's own was stored goes on from there: it was no one else. */
  #followed(entry: Pending): Pending {
    const { deed, room } = entry;
    if (deed.do !== "edit" || deed.seq === undefined) return entry;
    let { seq } = deed;
    for (let next: number | undefined; (next = this.#own.get(`${room} ${deed.id} ${seq}`)) !== undefined; ) seq = next;
    return seq === deed.seq ? entry : { ...entry, deed: { ...deed, seq } };
  }

  /** The frames to send now, at most one of each room. A later message never overtakes an earlier one, even when the earlier
   *  one has to be tried again; what is no message overtakes those that slow mode holds back. */
  next(now: number, limits: Pick<Limits, "frame_bytes">, isOpen: (room: string) => boolean): Said[] {
    const frames: Said[] = [];
    const done = new Set<string>();
    for (const one of this.#all) {
      const entry = this.#followed(one), { room, deed, delivery } = entry;
      if (done.has(room) || delivery === "refused" || !isOpen(room)) continue;
      const { hold = 0, slow = 0 } = this.#holds.get(room) ?? {};
      if (now < hold) {
        done.add(room);
        continue;
      }
      if (now < slow && deed.do === "post") continue;
      if (delivery === "sent" && now < (entry.sent_at ?? 0) + ANSWER_TIME) {
        done.add(room);
        continue;
      }
      const frame = frameOf(entry);
      if (bytesOf(JSON.stringify(frame)) > limits.frame_bytes) {
        this.#change(entry, { delivery: "refused", code: "too_large" });
        continue;
      }
      done.add(room);
      this.#change(entry, { delivery: "sent", sent_at: now, is_tried: true });
      frames.push(frame);
    }
    return frames;
  }

  /** The server closed the connection since a frame was too large, which only what is on its way can have been. */
  tooLarge(): void {
    for (const entry of this.#all) if (entry.delivery === "sent") this.#change(entry, { delivery: "refused", code: "too_large" });
  }

  /** The connection is gone: no one knows whether what was on its way has arrived. */
  disconnected(): void {
    this.#holds.clear();
    for (const entry of this.#all) if (entry.delivery === "sent") this.#change(entry, { delivery: "waiting" });
  }

  /** It is on the server's disk. */
  acked(ack: Ack): Pending | undefined {
    const done = this.#take(ack.ref);
    if (done?.deed.do === "edit" && done.deed.seq !== undefined && ack.seq > done.deed.seq) this.#own.set(`${done.room} ${done.deed.id} ${done.deed.seq}`, ack.seq);
    return done;
  }

  /** It was seen in history or live. */
  seen(message: Message): Pending | undefined {
    return this.#take(message.client_id);
  }

  /** The server refused something: for now, or for good. False when it was about nothing that is in here. */
  refused(now: number, error: ErrorFrame): boolean {
    const entry = error.ref ? this.find(error.ref) : undefined;
    if (!entry) return false;
    // A room is slow for what is written in it. An edit that it refuses can wait for a day: it holds nothing up, and is tried
    // again by hand.
    const isSlow = error.code === "slow_mode", isPost = entry.deed.do === "post";
    if (error.retry_after_ms != null && (isPost || !isSlow)) {
      const holds = this.#holds.get(entry.room) ?? { hold: 0, slow: 0 };
      const until = now + error.retry_after_ms;
      if (isSlow) holds.slow = until;
      else holds.hold = until;
      this.#holds.set(entry.room, holds);
      this.#change(entry, { delivery: "waiting", is_tried: false });
    } else if (hasText(entry.deed)) {
      this.#change(entry, { delivery: "refused", why: error.detail, code: error.code });
    } else {
      this.#take(entry.client_id);
      return false;
    }
    return true;
  }

  /** None of a room's can be sent any more. */
  refuseAll(room: string, code: string): void {
    for (const entry of this.of(room)) {
      if (!hasText(entry.deed)) this.#take(entry.client_id);
      else if (entry.delivery !== "refused") this.#change(entry, { delivery: "refused", code });
    }
  }

  /** A refused one is to be tried again, as it was written. */
  retry(client_id: string): void {
    const entry = this.find(client_id);
    if (entry?.delivery === "refused") this.#change(entry, { delivery: "waiting", why: undefined, code: undefined, is_tried: false });
  }

  /** Takes one out, if it is certain not to be on the server, or was refused. */
  takeBack(client_id: string): Pending | undefined {
    const entry = this.find(client_id);
    const isHere = entry && (entry.delivery === "refused" || (entry.delivery === "waiting" && !entry.is_tried));
    return isHere ? this.#take(client_id) : undefined;
  }
}
