// Writing now what is to be said later.
import { path, Refusal } from "$lib/api/http";
import type { NewScheduled, Scheduled, ScheduledPatch } from "$lib/api/types";
import { plain } from "$lib/text/markdown";
import { dayName, timeOf, whole } from "$lib/text/time";
import { t } from "$lib/words";
import { copy, mayWrite, tellProblem } from "./actions";
import type { Client } from "./client.svelte";
import { asWritten } from "./commands";
import { Tries } from "./tries";
import { ui } from "./ui.svelte";

const MINUTE = 60_000;
/** When people begin their day. */
const MORNING = 9;

/** The moment at a time of a day that is so many days away, by the clock of this device. */
function morning(now: Date, days: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING);
}

/** The place whose clocks this device goes by, where those of one's profile say something else of a moment. */
function placeAt(at: number, zone: string | null | undefined): string | undefined {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || !own) return undefined;
  const said = (timeZone: string) => new Intl.DateTimeFormat("en", { dateStyle: "short", timeStyle: "short", timeZone }).format(at);
  try {
    return said(zone) === said(own) ? undefined : own.split("/").at(-1)?.replace(/_/g, " ");
  } catch {
    // The browser does not know the zone: nobody can tell.
    return undefined;
  }
}

/** What is said of a moment, with whose clocks it goes by, where these are not those of one's profile. */
function zoned(text: string, at: number, zone: string | null | undefined): string {
  const place = placeAt(at, zone);
  return place === undefined ? text : `${text}, ${t.later.clocks(place)}`;
}
export const wholeBy = (at: string | number, zone: string | null | undefined): string => zoned(whole(at), new Date(at).getTime(), zone);

/** Moments that people often mean. */
export function moments(now: Date, zone?: string | null): { text: string; at: Date }[] {
  const soon = [20, 60].map((minutes) => ({ text: t.later.in[minutes] ?? "", at: new Date(now.getTime() + minutes * MINUTE) }));
  const untilMonday = (8 - now.getDay()) % 7 || 7;
  // In the small hours the morning of this day is the next one.
  const first = now.getHours() < MORNING - 1 ? 0 : 1;
  const mornings = [...new Set([first, untilMonday])].map((days) => morning(now, days));
  return [...soon, ...mornings.map((at) => ({ text: zoned(`${dayName(at.getTime(), now.getTime())}, ${timeOf(at.getTime())}`, at.getTime(), zone), at }))];
}

const two = (value: number) => String(value).padStart(2, "0");
/** A moment as fields for a date and a time have it. */
export const fieldsOf = (at: Date): { date: string; time: string } => ({
  date: `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`, time: `${two(at.getHours())}:${two(at.getMinutes())}`,
});
/** The moment that such fields mean; undefined while they mean none. */
export function momentOf(date: string, time: string): Date | undefined {
  const at = new Date(`${date}T${time}`);
  return date && time && !Number.isNaN(at.getTime()) ? at : undefined;
}

export class LaterList {
  readonly #client: Client;
  readonly #tries = new Tries();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Reads the whole list. */
  async fetch(): Promise<void> {
    const { session } = this.#client;
    const asked = this.#client.store.later.asks();
    const rows: Scheduled[] = [];
    for (let next: string | undefined = "/api/scheduled?limit=100"; next; ) {
      const answer: { body: Scheduled[]; next: string | undefined } = await session.ask<Scheduled[]>("GET", next);
      rows.push(...answer.body);
      next = answer.next;
    }
    this.#client.learn((store) => store.later.listed(rows, asked), "later");
  }

  /** Has something said later. A retry after a lost answer keeps the time of the first. */
  async add(wanted: Omit<NewScheduled, "client_id">): Promise<Scheduled> {
    const { send_at: _, ...what } = wanted;
    const scheduled = await this.#tries.do(JSON.stringify(what), async (client_id) =>
      (await this.#client.session.ask<Scheduled>("POST", "/api/scheduled", { ...wanted, client_id })).body);
    this.#learn(scheduled);
    return scheduled;
  }

  async change(id: number, patch: ScheduledPatch): Promise<void> {
    this.#learn((await this.#waiting(id, () => this.#client.session.ask<Scheduled>("PATCH", path`/api/scheduled/${id}`, patch))).body);
  }

  /** Asks first, in the place of the list, which is there again with the answer. */
  askToCancel(one: Scheduled): void {
    const isText = !one.unreadable && one.kind !== "reminder";
    if (isText && !mayWrite(this.#client.store.rooms.get(one.room), Date.now())) return this.#askToCopy(one);
    const what = one.unreadable ? "" : `${t.later.quoted(plain(one.content).slice(0, 200))} `;
    const text = what + (one.kind === "reminder" ? t.later.dropReminder : isText ? t.later.dropText : t.later.dropUnread);
    ui.open({ is: "confirm", title: t.later.shutTitle, text, yes: t.later.cancel, isDanger: true, back: { is: "later" }, do: () => void this.cancel(one).catch(tellProblem) });
  }

  /** Takes it back, gives its text back, and offers to have it sent after all. Where nobody can write, a text that is given back
   *  would not be seen: there it is asked for first, and copied. */
  async cancel(one: Scheduled): Promise<void> {
    const isText = !one.unreadable && one.kind !== "reminder";
    if (isText && !mayWrite(this.#client.store.rooms.get(one.room), Date.now())) return this.#askToCopy(one);
    await this.#takeBack(one);
    const { room, content, send_at, reply_to, thread, also_to_room } = one;
    const again = { room, content, send_at, ...(reply_to && { reply_to }), ...(thread && { thread, also_to_room: also_to_room ?? false }) };
    // A reminder is asked for by a command alone.
    if (!isText) return ui.toast(t.later.cancelled);
    const takeAway = this.#client.drafts.giveBack(room, thread ?? undefined, asWritten(content));
    const undo = () => void this.add(again).then(takeAway, tellProblem);
    ui.toast(t.later.givenBack, Date.parse(send_at) > Date.now() ? { text: t.later.undo, do: undo } : undefined);
  }

  async #takeBack({ id }: Scheduled): Promise<void> {
    await this.#waiting(id, () => this.#client.session.ask("DELETE", path`/api/scheduled/${id}`));
    this.#client.learn((store) => store.later.forget(id), "later");
  }

  #askToCopy(one: Scheduled): void {
    const goOn = async () => {
      if (!(await copy(one.content, t.message.copied))) return;
      await this.#takeBack(one);
      ui.toast(t.later.cancelled);
    };
    const text = `“${plain(one.content).slice(0, 200)}” ${t.later.shutText}`;
    ui.open({ is: "confirm", title: t.later.shutTitle, text, yes: t.later.shutYes, back: { is: "later" }, do: () => void goOn().catch(tellProblem) });
  }

  #learn(scheduled: Scheduled): void {
    this.#client.learn((store) => store.later.told({ change: "changed", scheduled }), "later");
  }

  /** Does something with what waits; whatever is not there any more goes from the list, too. */
  async #waiting<T>(id: number, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Refusal && error.code === "scheduled_not_found") this.#client.learn((store) => store.later.forget(id), "later");
      throw error;
    }
  }
}

/** When it is said, as a sentence has it. */
export const saidAt = (one: Scheduled, zone?: string | null): string => t.later.goesOut(wholeBy(one.send_at, zone));
