// Giving a message another text.
import { path } from "$lib/api/http";
import type { Message } from "$lib/api/types";
import type { Pending } from "$lib/store/outbox";
import { t } from "$lib/words";
import { copy, stays, tellProblem } from "./actions";
import type { Client } from "./client.svelte";
import { router } from "./router.svelte";
import { ui } from "./ui.svelte";

/** The text that an edit of a message begins with: what one has made of it already, or else what it says. */
export function textOf(message: Pick<Message, "id" | "content">, changes: readonly Pending[]): string {
  const made = changes.findLast(({ deed, delivery }) => deed.do === "edit" && deed.id === message.id && delivery !== "refused");
  return made?.content ?? message.content;
}

export async function find(client: Client, key: string, id: number): Promise<Message> {
  const room = client.store.rooms.get(key);
  const held = room?.timeline.message(id) ?? room?.threads.message(id);
  return held ?? (await client.session.ask<Message>("GET", path`/api/rooms/${key}/messages/${id}`)).body;
}

/** Opens the editor of a message where that stands. */
export function openAt({ room, id, thread, also_to_room }: Message): void {
  ui.close(false);
  ui.drawer = false;
  const inThread = thread != null && !also_to_room ? { thread } : undefined;
  ui.editing = { room, id, ...inThread };
  router.go({ is: "room", room, ...(inThread ?? { at: id }) });
}

/** An edit that was refused is an edit again, behind what was begun of one, and never a message. Where there is nothing any more
 *  to be edited, its text can be copied, and stays where it is. */
export async function giveBackEdit(client: Client, entry: Pending, open: (message: Message) => void = openAt): Promise<void> {
  const { room, deed, content } = entry;
  if (deed.do !== "edit") return;
  const isWanted = stays();
  try {
    const message = await find(client, room, deed.id);
    if (message.deleted_at != null) return ui.toast(t.sending.editGone, { text: t.message.copyText, do: () => void copy(content, t.message.copied) });
    if (!client.takeBack(entry)) return;
    const kept = client.drafts.ofEdit(room, deed.id, textOf(message, client.store.outbox.of(room)));
    const left = kept.read();
    kept.keep(left === undefined || left === content ? content : `${left}\n${content}`);
    if (isWanted()) open(message);
  } catch (error) {
    tellProblem(error);
  }
}

/** A message is deleted, and what was begun to be made of it is no edit any more: it is given back, where another has deleted it. */
export function endEditOf(client: Client, { room, id, thread, also_to_room }: Message, isOwn: boolean): void {
  if (isOwn) return client.drafts.dropEdit(room, id);
  const text = client.drafts.giveBackEdit(room, id, also_to_room ? undefined : (thread ?? undefined));
  if (text) ui.toast(t.sending.editEnded, { text: t.message.copyText, do: () => void copy(text, t.message.copied) });
}
