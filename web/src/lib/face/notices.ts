// Being told of what comes while one looks elsewhere: by the browser's notices, and by a sound for who wants it.
import type { Message, Settings } from "$lib/api/types";
import type { Due } from "$lib/store/news";
import { plain } from "$lib/text/markdown";
import { t } from "$lib/words";
import type { Client } from "./client.svelte";
import { fullName } from "./names";
import { labelOf } from "./rooms";
import { router } from "./router.svelte";
import { ui } from "./ui.svelte";

const [WANTED, SOUND] = ["parlour.notices", "parlour.sound"];

export const canNotify = (): boolean => "Notification" in globalThis;
export const isNotifying = (): boolean => canNotify() && Notification.permission === "granted" && localStorage.getItem(WANTED) === "on";
export const isSounding = (): boolean => localStorage.getItem(SOUND) === "on";

/** Turns notices on, where the person lets the browser show them, or off. */
export async function setNotifying(on: boolean): Promise<boolean> {
  const may = on && canNotify() && (await Notification.requestPermission()) === "granted";
  localStorage.setItem(WANTED, may ? "on" : "off");
  return may;
}

export function setSounding(on: boolean): void {
  localStorage.setItem(SOUND, on ? "on" : "off");
  if (on) ring();
}

/** The minute of the day that clocks show in a time zone; in UTC where there is none. */
function minuteIn(zone: string | null | undefined, now: Date): number {
  const parts = (timeZone: string) => new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone }).format(now).split(":").map(Number);
  let [hour, minute] = [0, 0] as (number | undefined)[];
  try {
    [hour, minute] = parts(zone || "UTC");
  } catch {
    // A zone that this browser does not know.
    [hour, minute] = parts("UTC");
  }
  return (hour ?? 0) * 60 + (minute ?? 0);
}

/** Whether it is a time of one's quiet hours: from the first minute on, and not in the last one any more. */
export function isQuiet({ quiet_hours, time_zone }: Settings, now: Date): boolean {
  const found = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(quiet_hours ?? "");
  if (!found) return false;
  const [from, to] = [Number(found[1]) * 60 + Number(found[2]), Number(found[3]) * 60 + Number(found[4])];
  const at = minuteIn(time_zone, now);
  return from <= to ? at >= from && at < to : at >= from || at < to;
}

/** Threads that one follows, by room and first message, as the server has them. */
export interface Followed {
  threads: ReadonlySet<string>;
  /** There are no others. */
  isWhole: boolean;
}

/** Whether one follows the thread of a message, as far as that is known here. */
function follows(client: Client, { room: key, thread }: Message, followed: Followed): boolean {
  const room = client.store.rooms.get(key), me = client.me.id;
  if (thread == null || followed.threads.has(`${key} ${thread}`)) return true;
  if (followed.isWhole) return false;
  return room?.timeline.message(thread)?.user_id === me || (room?.threads.messages(thread).some((one) => one.user_id === me) ?? false);
}

/** Whether a message is to be told, by what its reader wants of the room. */
export function isWanted(client: Client, message: Message, isMention: boolean, followed: Followed): boolean {
  const about = client.store.rooms.get(message.room)?.about;
  const level = about?.notify ?? (about?.kind === "direct" ? "all" : "mentions");
  const isBusy = client.store.people.presence(client.me.id) === "dnd";
  const isOfAll = level === "all" && (message.also_to_room || follows(client, message, followed));
  return !isBusy && (isOfAll || (level !== "nothing" && isMention));
}

/** Until it is told: what is read meanwhile, in another tab or on another device, is not told at all. */
const SOON = 1_000;

export function tell(client: Client, message: Message, isMention: boolean, followed: Followed): void {
  if (!client.isLeader || !isWanted(client, message, isMention, followed) || isQuiet(client.store.settings, new Date())) return;
  setTimeout(() => show(client, message), SOON);
}

/** Notices of this tab that are on the screen. */
const shown = new Map<Notification, Message>();

/** What was read in a thread on another device is told no longer. */
export function dropRead(client: Client, key: string, thread: number): void {
  const threads = client.store.rooms.get(key)?.threads;
  for (const [notice, message] of shown) if (message.room === key && message.thread === thread && threads?.isRead(message)) notice.close(), shown.delete(notice);
}

/** Whether a reminder was seen: where its room was opened since then, or by one's marker, wherever that was set. */
function whetherSeen(client: Client, { room, message }: Due): () => boolean {
  const isOpen = () => router.view.is === "room" && client.store.resolve(router.view.room) === room;
  let wasOpen = isOpen();
  return () => {
    const isNow = isOpen();
    wasOpen &&= isNow;
    return (isNow && !wasOpen) || (message != null && (client.room(room)?.about.read_seq ?? 0) >= message);
  };
}

/** A reminder has come, which one has asked for: it is told also in quiet hours, and where one is looking. */
export function remind(client: Client, due: Due): void {
  const { room, content } = due, known = client.store.rooms.get(room);
  const open = () => router.go({ is: "room", room });
  const text = `${known && !known.isSelf ? `${labelOf(client, known.about)}: ` : ""}${plain(content)}`;
  // Who was away sees it when they are back.
  ui.toast(text.slice(0, 200), { text: t.later.show, do: open }, true, whetherSeen(client, due));
  if (!client.isLeader) return;
  if (isSounding()) ring();
  if (isNotifying() && !document.hasFocus()) notify(t.notification.reminder, text, `reminder ${room} ${content}`, open);
}

function show(client: Client, came: Message): void {
  const room = client.store.rooms.get(came.room);
  // It may have been changed since, or not be one's to read any more.
  if (client.isOver || !room || room.isGone) return;
  const message = room.timeline.message(came.id) ?? room.threads.messages(came.thread ?? 0).find((one) => one.id === came.id) ?? came;
  if (message.deleted_at) return;
  const isInRoom = message.thread == null || message.also_to_room;
  const isRead = room.threads.isRead(message) || (isInRoom && (room.about.read_seq ?? 0) >= message.id);
  const isSeen = document.hasFocus() && router.view.is === "room" && client.store.resolve(router.view.room) === message.room;
  if (isRead || isSeen) return;
  if (isSounding()) ring();
  if (!isNotifying() || document.hasFocus()) return;
  const { about } = room;
  const who = fullName(client, message.user_id, message.username);
  const title = about.kind !== "direct" ? t.notification.from(who, labelOf(client, about)) : t.notification.direct(who);
  const notice = notify(title, plain(message.content), `${message.room} ${message.id}`, () =>
    router.go({ is: "room", room: message.room, ...(message.thread && !message.also_to_room ? { thread: message.thread } : { at: message.id }) }));
  shown.set(notice, message);
  notice.onclose = () => shown.delete(notice);
}

function notify(title: string, text: string, tag: string, open: () => void): Notification {
  const notice = new Notification(title, { body: text.slice(0, 200), tag });
  notice.onclick = () => {
    window.focus();
    open();
    notice.close();
  };
  return notice;
}

/** Two soft notes, made here: no file is loaded. */
function ring(): void {
  const context = new AudioContext();
  for (const [at, frequency] of [[0, 660], [0.12, 880]] as const) {
    const [tone, loudness] = [context.createOscillator(), context.createGain()];
    tone.frequency.value = frequency;
    loudness.gain.setValueAtTime(0.0001, context.currentTime + at);
    loudness.gain.exponentialRampToValueAtTime(0.08, context.currentTime + at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + at + 0.3);
    tone.connect(loudness).connect(context.destination);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + 0.32);
  }
  setTimeout(() => void context.close(), 1_000);
}
