// What a person can do with a message, a room or someone, each in one place for the mouse, the keys and the menus.
import { tick } from "svelte";
import { path } from "$lib/api/http";
import type { Message, Room as RoomRow } from "$lib/api/types";
import type { Room } from "$lib/store/room";
import { plain } from "$lib/text/markdown";
import { t } from "$lib/words";
import type { Client } from "./client.svelte";
import { saidOf } from "./refusals";
import { addressOf, router } from "./router.svelte";
import { ui } from "./ui.svelte";

/** Says what went wrong where nothing else on the screen does. */
export function tellProblem(error: unknown): void {
  ui.toast(saidOf(error));
}

export const isModerator = (room: Room | undefined): boolean => room?.about.role === "owner" || room?.about.role === "moderator";
export const isOwner = (room: Room | undefined): boolean => room?.about.role === "owner";

export function mayWrite(room: Room | undefined, now: number): boolean {
  return room !== undefined && !room.isGone && !room.about.archived_at && !(Date.parse(room.about.muted_until ?? "") > now);
}

export const isMine = (message: Message, emoji: string, me: number): boolean => {
  const reaction = message.reactions?.find((one) => one.emoji === emoji);
  return reaction?.mine ?? reaction?.users.some((one) => one.user_id === me) ?? false;
};

export function toggleReaction(client: Client, message: Message, emoji: string): void {
  client.do(message.room, { do: "react", id: message.id, on: !isMine(message, emoji, client.me.id) }, emoji);
  remember(emoji);
}

/** Whoever presses a button beside a message with the pointer goes on writing. */
export function goOnWriting(event: MouseEvent): void {
  if (event.detail === 0 || !matchMedia("(pointer: fine)").matches) return;
  (event.currentTarget as Element).closest(".pane, .main")?.querySelector<HTMLElement>("textarea.write")?.focus();
}

const RECENT = "parlour.emoji";
export function recent(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}
export function remember(emoji: string): void {
  localStorage.setItem(RECENT, JSON.stringify([emoji, ...recent().filter((one) => one !== emoji)].slice(0, 24)));
}

let quickest: string[] = [];
/** The two that are used most lately. Each keeps its place for as long as it is one of them. */
export function quick(): string[] {
  const next = [...new Set([...recent(), "👍", "✅"])].slice(0, 2);
  const fresh = next.filter((one) => !quickest.includes(one));
  quickest = quickest.length === 2 ? quickest.map((one) => (next.includes(one) ? one : (fresh.shift() ?? one))) : next;
  return quickest;
}

/** False when the browser lets nothing be copied. */
export async function copy(text: string, said: string): Promise<boolean> {
  let isDone = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a safe way to the server there is no clipboard but the old one.
    const before = document.activeElement instanceof HTMLElement ? document.activeElement : undefined;
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "vh";
    document.body.append(field);
    field.select();
    isDone = document.execCommand("copy");
    field.remove();
    before?.focus();
  }
  ui.toast(isDone ? said : t.message.notCopied);
  return isDone;
}

export const linkTo = (message: Message): string =>
  location.origin + addressOf({ is: "room", room: message.room, ...(message.thread && !message.also_to_room ? { thread: message.thread } : { at: message.id }) });

export function openThread(message: Message): void {
  router.go({ is: "room", room: message.room, thread: message.thread ?? message.id });
}

export function askToDelete(client: Client, message: Message): void {
  const text = `“${plain(message.content).slice(0, 200)}” ${t.message.deleteText}`;
  ui.open({
    is: "confirm", title: t.message.deleteTitle, text, yes: t.message.deleteYes, isDanger: true,
    do: () => client.do(message.room, { do: "delete", id: message.id }),
  });
}

export async function save(client: Client, message: Message, on: boolean): Promise<void> {
  try {
    await client.session.ask(on ? "PUT" : "DELETE", path`/api/saved/${message.room}/${message.id}`);
    ui.toast(on ? t.message.saved : t.message.unsaved);
  } catch (error) {
    tellProblem(error);
  }
}

export function pin(client: Client, message: Message, on: boolean): void {
  client.do(message.room, { do: "pin", id: message.id, on });
  if (client.isConnected) ui.toast(on ? t.message.pinDone : t.message.unpinDone);
}

/** Marks the list unread in which it was chosen: a reply may stand in its thread and in the room. */
export function markUnread(client: Client, message: Message, inThread: boolean): void {
  client.say({ type: "read", room: message.room, seq: message.id, unread: true, ...(inThread && message.thread && { thread: message.thread }) });
}

export interface Deeds {
  client: Client;
  room: Room | undefined;
  message: Message;
  inThread: boolean;
  edit: () => void;
  quote: () => void;
}

/** Whether the same is on the screen as now: who has gone elsewhere before an answer came is not taken away from there. */
export function stays(): () => boolean {
  const { view } = router, { dialog, card } = ui;
  return () => router.view === view && ui.dialog === dialog && ui.card === card;
}

export async function openDirect(client: Client, users: string[]): Promise<void> {
  const isWanted = stays();
  try {
    const { body } = await client.session.ask<RoomRow>("POST", "/api/direct", { users });
    client.opened(body);
    if (body.hidden) void client.session.ask("DELETE", path`/api/rooms/${body.room}/hidden`).catch(() => {});
    if (!isWanted()) return;
    router.go({ is: "room", room: body.room });
    ui.close(false);
    ui.card = undefined;
    ui.drawer = false;
  } catch (error) {
    tellProblem(error);
  }
}

/** Goes to a room that one is in, but may not have heard of yet. */
export async function goToKnown(client: Client, room: string): Promise<void> {
  try {
    if (!client.store.rooms.has(room)) client.opened((await client.session.ask<RoomRow>("GET", path`/api/rooms/${room}`)).body);
    router.go({ is: "room", room });
  } catch (error) {
    tellProblem(error);
  }
}

export async function join(client: Client, room: string): Promise<boolean> {
  try {
    await client.session.ask("PUT", path`/api/rooms/${room}/members/${client.me.id}`);
    client.left.delete(room);
    return true;
  } catch (error) {
    tellProblem(error);
    return false;
  }
}

export function askToLeave(client: Client, room: Room, name: string): void {
  ui.open({
    is: "confirm", title: t.settings.leaveTitle(name), text: t.settings.leaveText(room.about.kind === "private"), yes: t.settings.leave, isDanger: true,
    do: () => {
      client.left.add(room.key);
      let isWanted = () => true;
      void tick().then(() => { isWanted = stays(); });
      client.session.ask("DELETE", path`/api/rooms/${room.key}/members/${client.me.id}`).then(
        () => { if (isWanted()) router.go({ is: "room", room: "general" }); },
        (error: unknown) => {
          client.left.delete(room.key);
          tellProblem(error);
        },
      );
    },
  });
}
