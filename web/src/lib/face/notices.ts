// Being told of what comes while one looks elsewhere: by the browser's notices, and by a sound for who wants it.
import type { Message } from "$lib/api/types";
import { plain } from "$lib/text/markdown";
import { t } from "$lib/words";
import type { Client } from "./client.svelte";
import { fullName } from "./names";
import { labelOf } from "./rooms";
import { router } from "./router.svelte";

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

/** Whether it is a time of `22:00-07:00`, by the clock of this device. */
export function isQuiet(hours: string | null | undefined, now: Date): boolean {
  const found = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(hours ?? "");
  if (!found) return false;
  const [from, to] = [Number(found[1]) * 60 + Number(found[2]), Number(found[3]) * 60 + Number(found[4])];
  const at = now.getHours() * 60 + now.getMinutes();
  return from <= to ? at >= from && at < to : at >= from || at < to;
}

/** Whether a message is to be told, by what its reader wants of the room. */
export function isWanted(client: Client, room: string, isMention: boolean): boolean {
  const about = client.store.rooms.get(room)?.about;
  const level = about?.notify ?? (about?.kind === "direct" ? "all" : "mentions");
  const isBusy = client.store.people.presence(client.me.id) === "dnd";
  return !isBusy && (level === "all" || (level === "mentions" && isMention));
}

export function tell(client: Client, message: Message, isMention: boolean, quietHours: string | null | undefined): void {
  if (!client.isLeader || !isWanted(client, message.room, isMention) || isQuiet(quietHours, new Date())) return;
  const isSeen = document.hasFocus() && router.view.is === "room" && client.store.resolve(router.view.room) === message.room;
  if (isSeen) return;
  if (isSounding()) ring();
  if (!isNotifying() || document.hasFocus()) return;
  const about = client.store.rooms.get(message.room)?.about;
  const who = fullName(client, message.user_id, message.username);
  const title = about && about.kind !== "direct" ? t.notification.from(who, labelOf(client, about)) : t.notification.direct(who);
  const notice = new Notification(title, { body: plain(message.content).slice(0, 200), tag: `${message.room} ${message.id}` });
  notice.onclick = () => {
    window.focus();
    router.go({ is: "room", room: message.room, ...(message.thread && !message.also_to_room ? { thread: message.thread } : { at: message.id }) });
    notice.close();
  };
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
