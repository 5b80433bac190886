// Everything that can be done with a message, and who has read it, as its menu has it.
import type { Message } from "$lib/api/types";
import type { Room } from "$lib/store/room";
import { t } from "$lib/words";
import { askToDelete, copy, isModerator, linkTo, markUnread, mayWrite, openThread, pin, save, toggleReaction, type Deeds } from "./actions";
import type { Client } from "./client.svelte";
import { ui, type MenuItem } from "./ui.svelte";

/** Who is in a room, where that is known of all. */
function membersOf(client: Client, room: Room): number[] | undefined {
  const asked = client.members.get(room.key);
  const isWhole = asked?.at === room.membersAt && asked.members.length === room.members;
  return room.about.users?.map((one) => one.user_id) ?? (isWhole ? asked.members.map((one) => one.user_id) : undefined);
}

/** So many are named; the others are counted. */
const NAMED = 3;

/** Who has read a message, of those who show it and have not written it; nothing where nobody does. Whoever has read or written
 *  it may have left since: only where it is known who is there, it can have been everyone. */
export function readBy(client: Client, room: Room, message: Message, members?: number[]): string | undefined {
  const isAsked = (user: number) => user !== client.me.id && user !== message.user_id && (members?.includes(user) ?? true);
  const shown = [...room.receipts].filter(([user]) => isAsked(user));
  if (shown.length === 0) return undefined;
  const readers = shown.filter(([, seq]) => seq >= message.id).map(([user]) => user);
  client.learnPeople(readers);
  const names = readers.map((user) => client.name(user)).filter(Boolean).slice(0, NAMED);
  const isAll = shown.length >= (members?.filter(isAsked).length ?? Infinity);
  return t.message.readBy(names, readers.length, shown.length, isAll);
}

/** Everything that can be done with a message, as a menu has it. */
export function menuOf({ client, room, message, inThread, edit, quote }: Deeds): MenuItem[] {
  const now = Date.now(), canWrite = mayWrite(room, now);
  const isOwn = message.user_id === client.me.id;
  const items: MenuItem[] = [];
  if (canWrite) {
    if (!inThread) items.push({ icon: "thread", text: t.message.thread, key: "T", do: () => openThread(message) });
    items.push({ icon: "reply", text: t.message.reply, key: "Q", do: quote });
    items.push({ icon: "smile", text: t.message.another, key: "R", do: () => ui.open({ is: "emoji", pick: (emoji) => toggleReaction(client, message, emoji) }) });
  }
  items.push({ icon: "mark", text: t.message.save, key: "S", do: () => void save(client, message, true) });
  items.push({ icon: "copy", text: t.message.copyLink, do: () => void copy(linkTo(message), t.message.linkCopied) });
  items.push({ icon: "letters", text: t.message.copyText, do: () => void copy(message.content, t.message.copied) });
  if (!isOwn) items.push({ icon: "bell", text: t.message.unread, key: "U", do: () => markUnread(client, message, inThread) });
  if (canWrite) {
    const on = !message.pinned;
    items.push({ icon: "pin", text: on ? t.message.pin : t.message.unpin, key: "P", do: () => pin(client, message, on) });
  }
  if (message.reactions?.length) items.push({ icon: "people", text: t.message.whoReacted, do: () => ui.open({ is: "reactions", message }) });
  if (message.edited_at) items.push({ icon: "clock", text: t.message.versions, do: () => ui.open({ is: "versions", message }) });
  if (canWrite && (isOwn || isModerator(room))) {
    items.push("line");
    if (isOwn) items.push({ icon: "edit", text: t.message.edit, key: "E", do: edit });
    items.push({ icon: "trash", text: t.message.delete, key: "Del", isBad: true, do: () => askToDelete(client, message) });
  }
  const read = room && !inThread ? readBy(client, room, message, membersOf(client, room)) : undefined;
  if (read) items.push("line", { note: read });
  return items;
}

/** Opens the menu of a message. */
export function openMenuOf(deeds: Deeds, label: string, at: HTMLElement | { x: number; y: number }): void {
  const box = at instanceof HTMLElement ? at.getBoundingClientRect() : undefined;
  ui.openMenu(label, menuOf(deeds), box ? { x: box.left, y: box.bottom } : at);
}
