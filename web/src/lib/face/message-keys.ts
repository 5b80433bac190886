// Keys in a list of messages: arrows choose one, letters act on it.
import type { Message } from "$lib/api/types";
import type { Room } from "$lib/store/room";
import { askToDelete, markUnread, mayWrite, openThread, pin, save, toggleReaction } from "./actions";
import type { Client } from "./client.svelte";
import { openMenuOf } from "./message-menu";
import { ui } from "./ui.svelte";

export interface List {
  client: Client;
  room: Room | undefined;
  inThread: boolean;
  find: (id: number) => Message | undefined;
  setEditing: (key: string | undefined) => void;
  quote: (message: Message) => void;
  toLatest: () => void;
  toUnread: () => void;
}

/** Whether the focus was set by the pointer: then no message was chosen, and whoever types writes. */
let isPointed = false;
addEventListener("pointerdown", () => { isPointed = true; }, true);
addEventListener("keydown", ({ key }) => { if (/^(Arrow|Tab$|F6$|Escape$)/.test(key)) isPointed = false; }, true);

/** The message in its room that was chosen by keys. */
export const chosenByKeys = (): HTMLElement | null | undefined => (isPointed ? undefined : document.activeElement?.closest<HTMLElement>(".timeline-wrap article[data-id]"));

/** Takes what is typed beside the field to the field; false when it is no letter. */
export function goesToComposer(event: KeyboardEvent, pane: Element | null | undefined): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.key.length !== 1 || event.key === " ") return false;
  const field = pane?.querySelector<HTMLTextAreaElement>("textarea.write:not(:disabled)");
  // The letter itself goes where the focus then is.
  field?.focus();
  return field != null;
}

export function keysOfMessages(event: KeyboardEvent, list: List): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target as HTMLElement;
  if (target.closest("textarea, input")) return;
  const scroller = event.currentTarget as HTMLElement;
  if (isPointed && goesToComposer(event, scroller.closest(".pane, .main"))) return;
  const articles = [...scroller.querySelectorAll<HTMLElement>("article[data-key]")];
  const chosen = target.closest<HTMLElement>("article[data-key]");
  const place = chosen ? articles.indexOf(chosen) : articles.length;
  const done = () => event.preventDefault();
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const next = articles[event.key === "ArrowUp" ? place - 1 : place + 1];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
    return done();
  }
  if (event.key === "End") {
    list.toLatest();
    return done();
  }
  if (event.key === "U" && event.shiftKey) {
    list.toUnread();
    return done();
  }
  if (event.key === "d" && list.room && !list.inThread) {
    ui.open({ is: "date", room: list.room.key });
    return done();
  }
  const message = chosen?.dataset.id ? list.find(Number(chosen.dataset.id)) : undefined;
  if (!message || message.deleted_at != null || message.kind === "system" || target.closest("button, a")) return;
  if (act(event, message, chosen as HTMLElement, list)) done();
}

/** Does what a key means for a message; false when it means nothing. */
function act(event: KeyboardEvent, message: Message, chosen: HTMLElement, list: List): boolean {
  const { client, room } = list;
  const canWrite = mayWrite(room, Date.now()), isOwn = message.user_id === client.me.id;
  const edit = () => list.setEditing(chosen.dataset.key);
  const quote = () => list.quote(message);
  switch (event.key) {
    case "Enter": {
      const box = chosen.getBoundingClientRect();
      openMenuOf({ client, room, message, inThread: list.inThread, edit, quote }, "", { x: box.left + 60, y: box.top + 24 });
      return true;
    }
    case "t":
      if (canWrite && !list.inThread) openThread(message);
      return true;
    case "q":
      if (canWrite) quote();
      return true;
    case "r":
      if (canWrite) ui.open({ is: "emoji", pick: (emoji) => toggleReaction(client, message, emoji) });
      return true;
    case "e":
      if (canWrite && isOwn) edit();
      return true;
    case "s":
      void save(client, message, true);
      return true;
    case "u":
      markUnread(client, message, list.inThread);
      return true;
    case "p":
      if (canWrite) pin(client, message, !message.pinned);
      return true;
    case "Delete":
      if (canWrite) askToDelete(client, message);
      return true;
    default:
      return false;
  }
}
