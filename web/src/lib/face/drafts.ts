// What was begun to write: kept by the browser at once, and by the server for all devices a moment later.
import { Refusal, path } from "$lib/api/http";
import type { Draft } from "$lib/api/types";
import type { Pending } from "$lib/store/outbox";
import type { Client } from "./client.svelte";
import { asWritten, saidBy } from "./commands";

interface Kept {
  text: string;
  /** When it was written here; of two texts the later one counts. */
  at: number;
  /** Whether the server has it. */
  isTold?: boolean;
  /** When that was, or when what is set aside was told, by the clock of the server. */
  toldAt?: number;
  /** What was known to be told, by the same clock, when this was written. */
  after?: number;
  /** What another device has written meanwhile. It is given back beside this. */
  aside?: string;
  /** The history that the server had then: one that was restored may lack it. */
  epoch?: string;
}

interface LeftEdit {
  text: string;
  /** What the message said when it was begun. */
  of: string;
}

interface Place {
  room: string;
  thread: number | undefined;
}

const SOON = 1_200;
/** For so long after a key somebody is at it: another device can hardly have seen it before it wrote something else. */
const AT_IT = 10_000;
/** For so long is waited for the server to be told of all. */
const PATIENCE = 3_000;
/** After so long a server is asked again that has too much to do and does not say when. */
const LATER = 10_000;

/** What was kept before it was marked as told may not be; that nothing is written needs nobody to be asked. */
const isTold = ({ text, isTold: told }: Kept): boolean => told ?? text === "";

/** When a draft was changed last, by the clock of the server; 0 where it does not say. */
const momentOf = (draft: Draft | undefined): number => Date.parse(draft?.updated_at ?? "") || 0;

/** Whether all of a text is in another, which goes on with it. */
const goesOn = (text: string, from: string): boolean => text.startsWith(from) || text.endsWith(`\n${from}`);

/** Texts that the browser keeps under a name. */
function textsAt(place: string): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export class Drafts {
  readonly #client: Client;
  /** What was told of each: what comes back of it is nothing new, whatever the clocks say. */
  readonly #told = new Map<string, Set<string>>();
  readonly #timers = new Map<string, Place & { timer: ReturnType<typeof setTimeout> }>();
  /** When each was written last on this page. */
  readonly #written = new Map<string, number>();
  /** What is told of each, one after the other: what is told last is what holds. */
  readonly #turns = new Map<string, Promise<void>>();
  /** What the server has not heard of, as far as is known, or does not take. */
  readonly #untold = new Map<string, Place & { isRefused: boolean }>();
  readonly #ears = new Set<() => void>();
  /** The edits that somebody is at. */
  readonly #edited = new Set<string>();
  #isOver = false;

  constructor(client: Client) {
    this.#client = client;
  }

  #place(room: string, thread: number | undefined, what = "draft"): string {
    return `parlour.${what}.${this.#client.me.id}.${room}${thread ? `.${thread}` : ""}`;
  }

  read(room: string, thread: number | undefined): string {
    return this.#kept(room, thread)?.text ?? "";
  }

  /** What an edit of this text was left as, when it was neither saved nor given up. Where the message says something else by
   *  now, it is given back: what was written elsewhere since is written over by nobody who has not seen it. */
  ofEdit(room: string, id: number, of: string): { read: () => string | undefined; keep: (text: string | undefined) => void } {
    const place = this.#place(room, id, "edit");
    return {
      read: () => {
        const left = this.#keptEdit(place);
        if (left?.of === of) return left.text;
        // It is put beside what is written, to be taken up or thrown away by hand.
        if (left && left.text !== left.of) this.#give(room, undefined, [...this.given(room, undefined), left.text]);
        localStorage.removeItem(place);
        return undefined;
      },
      keep: (text) => (text === undefined ? localStorage.removeItem(place) : localStorage.setItem(place, JSON.stringify({ text, of } satisfies LeftEdit))),
    };
  }

  /** A message was deleted by another: what was made of it stands beside what is written. Returns that, if it is something. */
  giveBackEdit(room: string, id: number, thread: number | undefined): string | undefined {
    const left = this.leftEdit(room, id), isMade = left && left.text !== left.of && left.text.trim() !== "";
    if (isMade) this.#give(room, thread, [...this.given(room, thread), left.text]);
    this.dropEdit(room, id);
    return isMade ? left.text : undefined;
  }

  /** A message is deleted and there is nothing to be edited, or its edit is thrown away. */
  dropEdit(room: string, id: number): void {
    const place = this.#place(room, id, "edit");
    if (localStorage.getItem(place) === null) return;
    localStorage.removeItem(place);
    for (const ear of this.#ears) ear();
  }

  /** Somebody is at an edit, until what this returns is called. */
  beginEdit(room: string, id: number): () => void {
    const place = this.#place(room, id, "edit"), tell = () => { for (const ear of this.#ears) ear(); };
    this.#edited.add(place);
    tell();
    return () => {
      this.#edited.delete(place);
      tell();
    };
  }

  /** The messages of a room whose edit was left in the middle. */
  leftEdits(room: string): number[] {
    const ids = this.#names("edit").flatMap((name) => (name.startsWith(`${room}.`) ? Number(name.slice(room.length + 1)) : []));
    return ids.filter((id) => {
      const left = this.leftEdit(room, id);
      return Number.isInteger(id) && left !== undefined && left.text !== left.of && !this.#edited.has(this.#place(room, id, "edit"));
    });
  }

  leftEdit(room: string, id: number): LeftEdit | undefined {
    return this.#keptEdit(this.#place(room, id, "edit"));
  }

  #keptEdit(place: string): LeftEdit | undefined {
    try {
      return JSON.parse(localStorage.getItem(place) ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  }

  #kept(room: string, thread: number | undefined): Kept | undefined {
    return this.#keptAt(this.#place(room, thread));
  }

  #keptAt(place: string): Kept | undefined {
    try {
      return JSON.parse(localStorage.getItem(place) ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  }

  #keep(place: string, kept: Kept): void {
    localStorage.setItem(place, JSON.stringify(kept));
  }

  /** The names under which the browser keeps such texts of this user, each behind what all have in common. */
  #names(what: string): string[] {
    const all = `parlour.${what}.${this.#client.me.id}.`;
    return Object.keys(localStorage).filter((key) => key.startsWith(all)).map((key) => key.slice(all.length));
  }

  write(room: string, thread: number | undefined, text: string): void {
    const place = this.#place(room, thread), before = this.#keptAt(place), at = Date.now(), after = before?.toldAt ?? before?.after;
    this.#written.set(place, at);
    if (text === "" && before?.aside !== undefined && !isTold(before) && !this.#turns.has(place)) {
      // What the server has is another device's, and somebody may be at it there.
      clearTimeout(this.#timers.get(place)?.timer);
      this.#timers.delete(place);
      this.#untold.delete(place);
      return this.#keep(place, { text, at, isTold: true, ...(after && { toldAt: after }), aside: before.aside });
    }
    // That there is none any more is kept, too: the server may not have heard of it yet.
    this.#keep(place, { text, at, isTold: false, ...(text && after && { after }), ...(text && before?.aside !== undefined && { aside: before.aside }) });
    this.#soon(room, thread, text ? SOON : 0);
  }

  #soon(room: string, thread: number | undefined, wait: number): void {
    if (this.#isOver) return;
    const place = this.#place(room, thread);
    clearTimeout(this.#timers.get(place)?.timer);
    this.#timers.set(place, { timer: setTimeout(() => void this.#tell(room, thread), wait), room, thread });
  }

  /** Drafts that the server does not have, as far as is known here; also those of an earlier page. */
  #unheard(): (Place & Kept & { place: string })[] {
    return this.#names("draft").flatMap((name) => {
      const [, room = "", thread] = /^(.*?)(?:\.(\d+))?$/.exec(name) ?? [];
      const at = { room, thread: thread === undefined ? undefined : Number(thread) };
      const kept = this.#kept(at.room, at.thread);
      return kept && !isTold(kept) ? [{ ...at, ...kept, place: this.#place(at.room, at.thread) }] : [];
    });
  }

  /** How many texts are here alone: begun, given back, or left in the middle of an edit. */
  get untold(): number {
    const begun = this.#unheard().filter(({ text }) => text.trim() !== "").length;
    const given = this.#names("given").reduce((sum, name) => sum + textsAt(`parlour.given.${this.#client.me.id}.${name}`).length, 0);
    return begun + given + this.#names("edit").length;
  }

  /** Hears when something was given back, or is so no more, until what it returns is called. */
  hear(ear: () => void): () => void {
    this.#ears.add(ear);
    return () => this.#ears.delete(ear);
  }

  /** What waits to be sent is not begun any more, where a page went between the two: it would be sent twice. */
  dropSent(waiting: readonly Pending[]): void {
    for (const { room, deed, content } of waiting) {
      if (deed.do !== "post") continue;
      const place = this.#place(room, deed.thread);
      this.#told.set(place, new Set([...(this.#told.get(place) ?? []), asWritten(content)]));
      if (saidBy(this.read(room, deed.thread).trim()) !== content) continue;
      this.write(room, deed.thread, "");
      for (const ear of this.#ears) ear();
    }
  }

  /** A text comes back: to where one writes, if nothing stands there; else it is kept beside that until it is put there or
   *  thrown away by hand. What this returns takes it away again, as long as it is as it was. */
  giveBack(room: string, thread: number | undefined, text: string): () => void {
    const isFree = this.read(room, thread).trim() === "";
    if (isFree) this.write(room, thread, text);
    else this.#give(room, thread, [...this.given(room, thread), text]);
    for (const ear of this.#ears) ear();
    return () => {
      if (!isFree) return this.drop(room, thread, text);
      if (this.read(room, thread) === text) this.write(room, thread, "");
      for (const ear of this.#ears) ear();
    };
  }

  /** What was given back and stands beside what is written. */
  given(room: string, thread: number | undefined): string[] {
    return textsAt(this.#place(room, thread, "given"));
  }

  /** That of it which another device has written, while somebody was at something else here. */
  aside(room: string, thread: number | undefined): string | undefined {
    return this.#kept(room, thread)?.aside;
  }

  /** Another device has written something else than what somebody is at here: it stands beside that, in place of what it had
   *  written before; or it has sent that, or thrown it away. What is here the server does not have any more. */
  #setAside(room: string, thread: number | undefined, here: Kept, aside: string | undefined, toldAt: number): void {
    const rest = this.given(room, thread).filter((one) => one !== here.aside);
    this.#give(room, thread, aside === undefined ? rest : [...rest, aside]);
    this.#keep(this.#place(room, thread), { ...here, aside, isTold: here.text === "", toldAt });
    for (const ear of this.#ears) ear();
  }

  /** It was put where one writes, or is thrown away. */
  drop(room: string, thread: number | undefined, text: string): void {
    const here = this.#kept(room, thread);
    if (here?.aside === text) {
      // What is written here is what is meant.
      this.#keep(this.#place(room, thread), { ...here, aside: undefined });
      this.#soon(room, thread, SOON);
    }
    const all = this.given(room, thread), at = all.indexOf(text);
    this.#give(room, thread, all.filter((_, index) => index !== at));
    for (const ear of this.#ears) ear();
  }

  #give(room: string, thread: number | undefined, texts: string[]): void {
    const place = this.#place(room, thread, "given");
    if (texts.length > 0) localStorage.setItem(place, JSON.stringify(texts));
    else localStorage.removeItem(place);
  }

  /** Tells at once all that was not told yet, and waits for that, but not for long. */
  async flush(): Promise<void> {
    if (!this.#client.isConnected) return;
    const now = [...this.#timers.values()];
    const again = [...this.#untold].filter(([place, { isRefused }]) => !isRefused && !this.#timers.has(place)).map(([, one]) => one);
    const earlier = this.#unheard().filter(({ place }) => !this.#untold.has(place) && !this.#timers.has(place));
    for (const { timer } of now) clearTimeout(timer);
    const told = Promise.all([...now.map(({ room, thread }) => this.#tell(room, thread)), ...[...again, ...earlier].map((one) => this.#tellEarlier(one))]);
    await Promise.race([told, new Promise((late) => setTimeout(late, PATIENCE))]);
  }

  /** What could not be told, by an earlier page or for want of a connection: another device may have gone on with it since. */
  async #tellEarlier({ room, thread }: Place): Promise<void> {
    const newer = await this.fetch(room, thread);
    if (newer !== undefined) for (const ear of this.#ears) ear();
    const place = this.#place(room, thread), waiting = this.#timers.get(place);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    await this.#tell(room, thread);
  }

  /** What another tab of this browser has written there, when an event tells of it. */
  heard({ key, newValue }: StorageEvent, room: string, thread: number | undefined): string | undefined {
    return key === this.#place(room, thread) && newValue !== null ? this.read(room, thread) : undefined;
  }

  #tell(room: string, thread: number | undefined): Promise<void> {
    const place = this.#place(room, thread);
    this.#timers.delete(place);
    this.#untold.set(place, { room, thread, isRefused: false });
    const before = this.#turns.get(place), now = () => this.#tellNow(place, { room, thread });
    // What is never answered holds the next for a while alone.
    const turn = before ? Promise.race([before, new Promise((late) => setTimeout(late, LATER))]).then(now) : now();
    this.#turns.set(place, turn);
    return turn.finally(() => { if (this.#turns.get(place) === turn) this.#turns.delete(place); });
  }

  async #tellNow(place: string, { room, thread }: Place): Promise<void> {
    const text = this.read(room, thread);
    if (this.#isElsewhere(room)) return;
    this.#told.set(place, new Set([...(this.#told.get(place) ?? []), text].slice(-20)));
    const query = thread ? `?thread=${thread}` : "";
    const address = `${path`/api/rooms/${room}/draft`}${query}`;
    try {
      const { body } = await this.#client.session.ask<Draft | undefined>(text ? "PUT" : "DELETE", address, text ? { content: text } : undefined);
      if (this.read(room, thread) !== text) return;
      this.#untold.delete(place);
      this.#markTold(place, momentOf(body));
    } catch (error) {
      // What the server does not keep, the browser does; what it has not heard is told when it is there again.
      const isRefused = error instanceof Refusal && error.status >= 400 && error.status < 500 && error.status !== 401 && error.status !== 429;
      this.#untold.set(place, { room, thread, isRefused });
      // A server that is asked too often says when it may be asked again. What was written since has a time of its own.
      if (error instanceof Refusal && error.status === 429 && !this.#timers.has(place)) this.#soon(room, thread, error.after ?? LATER);
    }
  }

  #markTold(place: string, toldAt: number): void {
    const kept = this.#keptAt(place);
    const epoch = this.#client.store.epoch;
    // Another device has told something else since.
    const isOver = kept?.aside !== undefined && toldAt > 0 && toldAt < (kept.toldAt ?? 0);
    if (kept && !isOver && (!kept.isTold || toldAt > (kept.toldAt ?? 0))) this.#keep(place, { ...kept, isTold: true, ...(toldAt && { toldAt }), ...(epoch !== undefined && { epoch }) });
    this.#untold.delete(place);
  }

  /** A room that one is not in keeps no draft. */
  #isElsewhere(room: string): boolean {
    return this.#client.store.rooms.get(room)?.isGone === true;
  }

  /** What another device has kept; undefined when what is here is as new. */
  async fetch(room: string, thread: number | undefined): Promise<string | undefined> {
    if (this.#isElsewhere(room)) return undefined;
    const query = thread ? `?thread=${thread}` : "", before = this.#kept(room, thread);
    try {
      const { body } = await this.#client.session.ask<Draft>("GET", `${path`/api/rooms/${room}/draft`}${query}`);
      // Of one that cannot be read nothing is known. What is here stays.
      if (body.unreadable) return undefined;
      // That there is none was so when it was asked: nothing that was written since is meant, nor what a restored server lacks.
      const isNone = body.content === "" && before && isTold(before) && before.at === this.#kept(room, thread)?.at && before.epoch === this.#client.store.epoch;
      const newer = this.told(room, body, isNone ? Infinity : undefined, true);
      if (newer === undefined) this.#catchUp(room, thread, body);
      return newer;
    } catch {
      return undefined;
    }
  }

  /** Tells what the server has not heard of: the page may have been left before it was told. */
  #catchUp(room: string, thread: number | undefined, { content, updated_at }: Draft): void {
    const [place, here] = [this.#place(room, thread), this.#kept(room, thread)];
    if (!here || (here.aside !== undefined && here.aside === content) || here.text === content || this.#timers.has(place) || here.at < Date.parse(updated_at ?? "")) return;
    this.#soon(room, thread, 0);
  }

  /** A draft as the server has it; its text, when it is newer than what is here. What the server had of this device and has no
   *  more was thrown away or sent on another. `isAsked`: this page has asked for it, and no other tab hears it. */
  told(room: string, draft: Draft, at = momentOf(draft), isAsked = false): string | undefined {
    const thread = draft.thread ?? undefined;
    const here = this.#kept(room, thread);
    const place = this.#place(room, thread);
    const known = here?.toldAt ?? here?.after ?? 0;
    if (draft.content === here?.text) this.#markTold(place, at);
    if (draft.content === "") {
      if (here?.aside !== undefined && (!isTold(here) || here.text === "") && at > known) {
        this.#setAside(room, thread, here, undefined, at);
        if (here.text) this.#soon(room, thread, SOON);
      }
      // What was typed here since is meant by nobody there.
      if (!here?.text || !isTold(here) || at <= (here.toldAt ?? 0)) return undefined;
      this.#told.delete(place);
      this.#keep(place, { text: "", at: here.at, isTold: true, toldAt: at });
      return "";
    }
    const isWaiting = this.#timers.has(place), isBlank = !here?.text.trim();
    const isOwn = (isWaiting && isBlank) || this.#told.get(place)?.has(draft.content);
    if (isOwn || draft.content === here?.text || (here && at <= known)) return undefined;
    if (here && !isBlank && this.#isAtIt(place, here) && (isWaiting || !goesOn(draft.content, here.text))) {
      // In another tab somebody is at it: that one sets aside what has come.
      const isHere = isAsked || isWaiting || here.aside !== undefined || this.#written.get(place) === here.at;
      if (isHere && !goesOn(here.text, draft.content)) this.#setAside(room, thread, here, draft.content, at);
      return undefined;
    }
    if (here && here.toldAt == null && here.at >= at) return undefined;
    // What nobody has heard of is not lost with that, and nothing that is in it stands beside it, too.
    const all = this.given(room, thread), rest = all.filter((one) => one !== draft.content && !(one === here?.aside && goesOn(draft.content, one)));
    if (here && !isBlank && !isTold(here) && !goesOn(draft.content, here.text)) rest.push(here.text);
    this.#give(room, thread, rest);
    const epoch = this.#client.store.epoch;
    this.#keep(place, { text: draft.content, at, isTold: true, toldAt: at, ...(epoch !== undefined && { epoch }) });
    if (rest.join() !== all.join()) for (const ear of this.#ears) ear();
    return draft.content;
  }

  /** Whether somebody is at what is written here, or the server has not heard of it, or has another device's in its place. */
  #isAtIt(place: string, here: Kept): boolean {
    const isTyped = here.at !== here.toldAt && Date.now() - here.at < AT_IT;
    return isTyped || here.aside !== undefined || this.#timers.has(place) || (!isTold(here) && this.#written.get(place) === here.at);
  }

  /** Tells nothing more. What is kept here is told by the next login of the same user. */
  end(): void {
    this.#isOver = true;
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Forgets all of this user's here. */
  wipe(): void {
    const mine = ["draft", "given", "edit", "last", "collapsed"].map((one) => `parlour.${one}.${this.#client.me.id}`);
    this.end();
    for (const key of Object.keys(localStorage)) if (key === "parlour.emoji" || mine.some((one) => key === one || key.startsWith(`${one}.`))) localStorage.removeItem(key);
  }
}
