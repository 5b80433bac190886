// What stands in a conversation, in order: days, the new line, messages in groups, and behind them what is not stored yet.
import type { Message } from "$lib/api/types";
import type { Pending } from "$lib/store/outbox";
import { mentions } from "$lib/store/room";
import { dayOf } from "$lib/text/time";

/** Messages of one writer within this time stand together. */
const TOGETHER = 5 * 60_000;

export type Item =
  | { is: "message"; key: string; message: Message; isNext: boolean; isToMe: boolean; changes: Pending[] }
  | { is: "system"; key: string; message: Message }
  | { is: "pending"; key: string; pending: Pending; isNext: boolean }
  | { is: "new"; key: string; since: string | undefined };

export interface Day {
  key: string;
  at: string | number;
  items: Item[];
}

export interface Sources {
  messages: readonly Message[];
  pending: readonly Pending[];
  me: number;
  /** What has a greater number, and is of others, was not read when the room was opened. */
  newFrom: number | undefined;
}

/** A message is the same one before and after it is stored. */
export const keyOf = (message: Message): string => (message.client_id ? `c${message.client_id}` : `m${message.id}`);

export function days({ messages, pending, me, newFrom }: Sources): Day[] {
  const all: Day[] = [];
  let last: { user: number; at: number; day: number } | undefined;
  let isNewShown = newFrom === undefined;
  const changes = new Map<number, Pending[]>();
  for (const one of pending) {
    if (one.deed.do !== "post") changes.set(one.deed.id, [...(changes.get(one.deed.id) ?? []), one]);
  }
  // A clock that was set back has days come again.
  const seen = new Map<number, number>();
  const dayAt = (at: string | number): Day => {
    const day = dayOf(at);
    if (last?.day !== day) {
      const times = seen.get(day) ?? 0;
      seen.set(day, times + 1);
      all.push({ key: times > 0 ? `d${day}.${times}` : `d${day}`, at, items: [] });
      last = undefined;
    }
    return all.at(-1) as Day;
  };
  const stored = new Set<string>();
  let before: string | undefined;
  for (const message of messages) {
    if (message.client_id) stored.add(message.client_id);
    const day = dayAt(message.created_at);
    const at = Date.parse(message.created_at), dayNumber = dayOf(message.created_at);
    if (!isNewShown && message.id > (newFrom ?? 0) && message.user_id !== me && message.kind !== "system") {
      day.items.push({ is: "new", key: "new", since: before });
      isNewShown = true;
      last = undefined;
    }
    before = message.created_at;
    if (message.kind === "system") {
      day.items.push({ is: "system", key: keyOf(message), message });
      last = { user: 0, at, day: dayNumber };
      continue;
    }
    const isToMe = message.deleted_at == null && mentions(message, me);
    const isNext = last !== undefined && last.user === message.user_id && at - last.at < TOGETHER && !isToMe && !message.reply_to && message.user_id > 0;
    day.items.push({ is: "message", key: keyOf(message), message, isNext, isToMe, changes: changes.get(message.id) ?? [] });
    last = { user: isToMe ? 0 : message.user_id, at, day: dayNumber };
  }
  for (const one of pending) {
    if (one.deed.do !== "post" || stored.has(one.client_id)) continue;
    // It stands at the end, whenever it was written.
    const day = last ? (all.at(-1) as Day) : dayAt(one.at);
    const isNext = last?.user === me && !one.deed.reply_to;
    day.items.push({ is: "pending", key: `c${one.client_id}`, pending: one, isNext });
    last = { user: me, at: one.at, day: last?.day ?? dayOf(one.at) };
  }
  return all;
}
