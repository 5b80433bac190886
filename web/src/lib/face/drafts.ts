// What was begun to write: kept by the browser at once, and by the server for all devices a moment later.
import { path } from "$lib/api/http";
import type { Draft } from "$lib/api/types";
import type { Client } from "./client.svelte";

interface Kept {
  text: string;
  /** When it was written here; of two texts the later one counts. */
  at: number;
}

const SOON = 1_200;

export class Drafts {
  readonly #client: Client;
  /** What was told of each: what comes back of it is nothing new, whatever the clocks say. */
  readonly #told = new Map<string, Set<string>>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(client: Client) {
    this.#client = client;
  }

  #place(room: string, thread: number | undefined): string {
    return `parlour.draft.${this.#client.me.id}.${room}${thread ? `.${thread}` : ""}`;
  }

  read(room: string, thread: number | undefined): string {
    return this.#kept(room, thread)?.text ?? "";
  }

  #kept(room: string, thread: number | undefined): Kept | undefined {
    try {
      return JSON.parse(localStorage.getItem(this.#place(room, thread)) ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  }

  write(room: string, thread: number | undefined, text: string): void {
    const place = this.#place(room, thread);
    // That there is none any more is kept, too: the server may not have heard of it yet.
    localStorage.setItem(place, JSON.stringify({ text, at: Date.now() } satisfies Kept));
    clearTimeout(this.#timers.get(place));
    this.#timers.set(place, setTimeout(() => this.#tell(room, thread), text ? SOON : 0));
  }

  #tell(room: string, thread: number | undefined): void {
    if (this.#isElsewhere(room)) return;
    const text = this.read(room, thread);
    const place = this.#place(room, thread);
    this.#timers.delete(place);
    this.#told.set(place, new Set([...(this.#told.get(place) ?? []), text].slice(-20)));
    const query = thread ? `?thread=${thread}` : "";
    const address = `${path`/api/rooms/${room}/draft`}${query}`;
    // What the server does not keep, the browser does.
    void this.#client.session.ask(text ? "PUT" : "DELETE", address, text ? { content: text } : undefined).catch(() => {});
  }

  /** A room that one is not in keeps no draft. */
  #isElsewhere(room: string): boolean {
    return this.#client.store.rooms.get(room)?.isGone === true;
  }

  /** What another device has kept; undefined when what is here is as new. */
  async fetch(room: string, thread: number | undefined): Promise<string | undefined> {
    if (this.#isElsewhere(room)) return undefined;
    const query = thread ? `?thread=${thread}` : "";
    try {
      const { body } = await this.#client.session.ask<Draft>("GET", `${path`/api/rooms/${room}/draft`}${query}`);
      const newer = this.told(room, body);
      if (newer === undefined) this.#catchUp(room, thread, body);
      return newer;
    } catch {
      return undefined;
    }
  }

  /** Tells what the server has not heard of: the page may have been left before it was told. */
  #catchUp(room: string, thread: number | undefined, { content, updated_at }: Draft): void {
    const [place, here] = [this.#place(room, thread), this.#kept(room, thread)];
    if (!here || here.text === content || this.#timers.has(place) || here.at < Date.parse(updated_at ?? "")) return;
    this.#timers.set(place, setTimeout(() => this.#tell(room, thread), 0));
  }

  /** A draft as the server has it; its text, when it is newer than what is here. */
  told(room: string, draft: Draft): string | undefined {
    const thread = draft.thread ?? undefined;
    const here = this.#kept(room, thread);
    const at = Date.parse(draft.updated_at ?? "") || 0;
    const place = this.#place(room, thread);
    const isOwn = this.#timers.has(place) || this.#told.get(place)?.has(draft.content);
    if (isOwn || draft.content === (here?.text ?? "") || (here && here.at >= at)) return undefined;
    localStorage.setItem(place, JSON.stringify({ text: draft.content, at } satisfies Kept));
    return draft.content;
  }

  /** Forgets all of this user's here. */
  wipe(): void {
    const mine = ["draft", "last", "collapsed"].map((one) => `parlour.${one}.${this.#client.me.id}`);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const key of Object.keys(localStorage)) if (key === "parlour.emoji" || mine.some((one) => key === one || key.startsWith(`${one}.`))) localStorage.removeItem(key);
  }
}
