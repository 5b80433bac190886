// Slash commands: lines that the server carries out. What is sent as a message is never read as one.
import { path } from "$lib/api/http";
import type { CommandDone, RoomKind, SlashCommand } from "$lib/api/types";
import { learnRest, t } from "$lib/words";
import type { Client } from "./client.svelte";
import { Tries } from "./tries";

/** Whether a text is a command; two slashes say one. */
export const isCommand = (text: string): boolean => /^\/(?!\/)/.test(text);
/** What a text that is no command says. */
export const saidBy = (text: string): string => (text.startsWith("//") ? text.slice(1) : text);
/** How something is to be written so that it is said. */
export const asWritten = (content: string): string => (content.startsWith("/") ? `/${content}` : content);
const wordOf = (text: string): string => /^\/(\S*)/.exec(text)?.[1]?.toLowerCase() ?? "";

export class Commands {
  readonly #client: Client;
  readonly #tries = new Tries();
  #all: SlashCommand[] | undefined;
  #asking: Promise<SlashCommand[]> | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Those that can be used in rooms of a kind. */
  async list(kind: RoomKind | undefined): Promise<SlashCommand[]> {
    this.#asking ??= this.#ask();
    this.#asking.catch(() => { this.#asking = undefined; });
    return (await this.#asking).filter((one) => !kind || one.rooms.includes(kind));
  }

  /** What those do that the page knows by name it says in its own language; what is code in it stands as it is typed. */
  async #ask(): Promise<SlashCommand[]> {
    const [{ body }] = await Promise.all([this.#client.session.ask<SlashCommand[]>("GET", "/api/commands"), learnRest().catch(() => {})]);
    const known = t.slash ?? {};
    return (this.#all = body.map((one) => ({ ...one, about: ((Object.hasOwn(known, one.name) && known[one.name]) || one.about).replaceAll("`", "") })));
  }

  /** The command that a text is, as far as they are known. */
  of(text: string): SlashCommand | undefined {
    return isCommand(text) ? this.#all?.find((one) => one.name === wordOf(text)) : undefined;
  }

  /** Has a line carried out that was typed in a room or a thread. */
  run(room: string, thread: number | undefined, text: string): Promise<CommandDone> {
    return this.#tries.do(`${room} ${thread ?? ""} ${text}`, async (client_id) => {
      const body = { text, client_id, ...(thread && { thread }) };
      return (await this.#client.session.ask<CommandDone>("POST", path`/api/rooms/${room}/commands`, body)).body;
    });
  }
}
