// How rooms are called and sorted.
import type { Message, RoomState } from "$lib/api/types";
import type { Client } from "./client.svelte";
import { t } from "$lib/words";

export type About = Pick<RoomState, "room" | "name" | "kind" | "users">;

/** The others of a direct room. */
export const others = (about: About, me: number) => (about.users ?? []).filter((one) => one.user_id !== me);

/** What a room is called, without a sign for its kind. */
export function nameOf(client: Client, about: About): string {
  if (about.kind !== "direct") return about.name ?? about.room;
  const names = others(about, client.me.id).map((one) => client.name(one.user_id, one.username));
  return names.length > 0 ? names.join(", ") : t.side.yourself(client.name(client.me.id, client.me.username));
}

/** With a sign. */
export const labelOf = (client: Client, about: About): string =>
  about.kind === "direct" ? nameOf(client, about) : `#${nameOf(client, about)}`;

export const iconOf = (about: About): string => (about.kind === "private" ? "lock" : about.kind === "direct" ? "people" : "hash");

/** Rooms keep their place when they get unread: they stand by name, `general` first. */
export function sorted(client: Client): { rooms: RoomState[]; directs: RoomState[] } {
  const all = client.rooms.map((room) => room.about);
  const rooms = all.filter((about) => about.kind !== "direct");
  const compare = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" }).compare;
  rooms.sort((a, b) => Number(b.room === "general") - Number(a.room === "general") || compare(nameOf(client, a), nameOf(client, b)));
  // Of people, those come first with whom one has talked last.
  const directs = all.filter((about) => about.kind === "direct" && !about.hidden);
  directs.sort((a, b) => (b.last_at ?? "").localeCompare(a.last_at ?? "") || compare(nameOf(client, a), nameOf(client, b)));
  return { rooms, directs };
}

/** Whether messages that have come or changed are pinned now, or are so no more. */
export const changesPins = (pins: readonly Message[], messages: readonly Message[]): boolean =>
  messages.some((one) => (one.pinned != null) !== pins.some(({ id }) => id === one.id));

/** What was typed, as a room can be called; and whether one can. */
export const roomName = (typed: string): string => typed.trim().toLowerCase().replace(/^#/, "").replace(/\s+/g, "-");
export const isRoomName = (name: string): boolean => /^(?=.*[a-z])[a-z0-9_-]{1,64}$/.test(name);
