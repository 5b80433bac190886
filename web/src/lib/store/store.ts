// What a client knows: its rooms, its people, what waits to be sent. Pure: frames, pages, ticks and closings go in; out come
// what to ask of the server (`Effect`), and what is new for a face (`News`). It opens no socket and has no clock.
import type { Ack, Connected, ErrorFrame, Heard, Limits, Message, Room as RoomRow, RoomState, Said, Settings, Upto } from "$lib/api/types";
import type { Past, Step } from "./follower";
import { messageOf, stateOf, storedAs } from "./forms";
import { FORM, restored, snapshot } from "./kept";
import { Later, laterNews } from "./later";
import { Listing } from "./listing";
import type { Kept, Outcome, Query } from "./news";
import { Outbox } from "./outbox";
import { People } from "./people";
import { isInThreadOnly, isWritten } from "./reading";
import { Room, mentions } from "./room";
import { Syncs } from "./syncs";
import { askWhatIsUnread } from "./unread";

export const GENERAL = "general";
const LIMITS = { content_bytes: 16_384, frame_bytes: 65_536, sockets_per_user: 20 } as Limits;

export class Store {
  readonly outbox = new Outbox();
  readonly people = new People();
  readonly later = new Later();
  readonly rooms = new Map<string, Room>();
  me = "";
  userId = 0;
  limits: Limits = LIMITS;
  /** What the user has set for all devices. */
  settings: Settings = {};
  /** Whether the limits are the server's. */
  hasLimits = false;
  epoch: string | undefined;
  isConnected = false;
  /** History was replaced since this was opened. */
  wasRestored = false;
  #lookedAt: string | undefined;
  readonly #syncs: Syncs;
  #lastTag = 0;
  #listing: Listing | undefined;
  #heartbeat = 25_000;
  #session = 0;

  constructor(tab: string) {
    this.#syncs = new Syncs(`sync ${tab}`);
    this.rooms.set(GENERAL, new Room(GENERAL, "later"));
  }

  get isCatchingUp(): boolean {
    return this.#syncs.isWaiting || [...this.rooms.values()].some((room) => !room.isGone && room.follower.isCatchingUp);
  }

  /** The key of one of the user's rooms, by its key or name. Of two with one name, none is meant. */
  resolve(word: string): string | undefined {
    if (this.rooms.has(word)) return word;
    const named = [...this.rooms.values()].filter((room) => !room.isGone && room.about.name?.toLowerCase() === word.toLowerCase());
    return named.length === 1 ? named[0]?.key : undefined;
  }

  /** A frame has come on the socket. */
  frame(now: number, frame: Heard): Outcome {
    const out: Outcome = { effects: [], news: [] };
    switch (frame.type) {
      case "system":
        if ("epoch" in frame) this.#connected(now, frame, out);
        else this.#cameToGeneral(frame, out);
        break;
      case "message":
      case "message_changed": {
        const message = messageOf(frame);
        if (this.people.hasWritten(message)) out.news.push({ about: "people" });
        this.#follow(now, message.room, out, (room) => room.follower.message(message));
        break;
      }
      case "ack":
        this.#acked(frame, out);
        break;
      case "error":
        this.#refused(now, frame, out);
        break;
      case "synced":
        if (frame.ref === this.#syncs.ref) this.#synced(now, frame.rooms, out);
        break;
      case "lag":
        this.#follow(now, frame.room, out, (room) => room.follower.lag(frame.seq));
        break;
      case "room":
        this.#roomNews(now, frame, out);
        break;
      case "read":
        this.#read(frame, out);
        break;
      case "presence":
      case "typing":
      case "user":
        this.people.heard(now, frame, this.userId);
        out.news.push({ about: "people" });
        break;
      case "settings": {
        const { type: _, ...settings } = frame;
        this.settings = settings;
        out.news.push({ about: "settings" });
        break;
      }
      case "scheduled":
        this.later.told(frame);
        out.news.push(laterNews(frame));
        break;
    }
    this.#syncs.ask(this, out);
    return out;
  }

  /** What is worth keeping over a reload. */
  snapshot(): Kept | undefined {
    return this.epoch === undefined ? undefined : snapshot(this.rooms, this.epoch, this.#lookedAt);
  }

  /** Begins with what was kept, as long as no socket has told better. */
  restore({ form, epoch, rooms }: Kept): void {
    if (this.epoch !== undefined || form !== FORM) return;
    this.epoch = epoch;
    for (const kept of rooms) this.rooms.set(kept.about.room, restored(kept, epoch, this.#pastOf(kept.about.room), this.userId, this.people));
  }

  /** Shows this room: what is at hand of it, and what lies before that. */
  lookAt(key: string): Outcome {
    const out: Outcome = { effects: [], news: [] };
    this.#lookedAt = key;
    const room = this.rooms.get(key);
    if (!room) return out;
    room.follower.want("pages");
    return room.timeline.messages.length < 50 ? this.fetchOlder(key) : out;
  }

  /** Asks for the page before the oldest message, if there is one and it was not asked for yet. */
  fetchOlder(key: string): Outcome {
    const out: Outcome = { effects: [], news: [] };
    const room = this.rooms.get(key);
    const id = room && !room.isGone && this.isConnected ? room.timeline.startLoading() : undefined;
    if (!room || id === undefined) return out;
    room.olderPage = ++this.#lastTag;
    out.effects.push({ do: "fetch", room: key, query: { at: "before", id }, tag: room.olderPage });
    out.news.push({ about: "room", room: key });
    return out;
  }

  /** The answer to a fetch has come; undefined when it did not. */
  page(now: number, ask: { room: string; query: Query; tag: number }, page: { messages: Message[]; more: boolean } | undefined): Outcome {
    const out: Outcome = { effects: [], news: [] };
    const room = this.rooms.get(ask.room);
    const isOlder = room?.olderPage === ask.tag;
    // Asked for an earlier socket or history: it may end before this one begins.
    if (!room || (!isOlder && room.nextPage !== ask.tag)) return out;
    out.news.push({ about: "room", room: ask.room });
    if (!page) {
      if (isOlder) {
        room.olderPage = undefined;
        room.timeline.loadingFailed();
      } else {
        room.nextPage = undefined;
        room.pause(now);
      }
      return out;
    }
    for (const message of page.messages) room.threads.take(message), this.people.learnName(message.user_id, message.username);
    if (isOlder) {
      room.olderPage = undefined;
      room.timeline.loaded(page.messages, page.more);
      room.recount();
      return out;
    }
    room.nextPage = undefined;
    if (ask.query.at === "latest") room.timeline.begin(page.messages[0]?.id ?? 0, page.more);
    this.#follow(now, ask.room, out, () =>
      ask.query.at === "since" ? room.follower.page(page.messages, page.more) : room.follower.latest(page.messages),
    );
    this.#syncs.ask(this, out);
    return out;
  }

  /** Rooms that the first frame has left out, as a page lists them; undefined when it did not come. */
  listed(now: number, tag: number, page: { rooms: RoomRow[]; next: string | undefined } | undefined): Outcome {
    const out: Outcome = { effects: [], news: [] };
    const listing = this.#listing;
    if (listing?.tag !== tag) return out;
    if (!page) {
      listing.pause(now);
      return out;
    }
    for (const row of page.rooms) {
      const isBack = listing.known.delete(row.room);
      if (isBack || !this.rooms.has(row.room)) this.#here(now, stateOf(row), true, out);
    }
    listing.cursor = page.next;
    if (page.next !== undefined) {
      listing.ask(out);
    } else {
      this.#listing = undefined;
      for (const key of listing.known) this.#gone(key, out);
    }
    this.#syncs.ask(this, out);
    return out;
  }

  /** A room that was opened by asking for it is there, whether or not a frame tells of it. */
  opened(now: number, row: RoomRow): Outcome {
    const out: Outcome = { effects: [], news: [] };
    if (!this.rooms.has(row.room) || this.rooms.get(row.room)?.isGone) this.#here(now, stateOf(row), true, out);
    this.#syncs.ask(this, out);
    return out;
  }

  /** Time has passed: repeats what has failed. */
  tick(now: number): Outcome {
    const out: Outcome = { effects: [], news: [] };
    if (!this.isConnected) return out;
    if (this.people.tick(now)) out.news.push({ about: "people" });
    this.#listing?.tick(now, out);
    this.#lastTag = askWhatIsUnread(this.rooms, now, this.#lastTag, out);
    for (const [key, room] of this.rooms) {
      if ((room.againAt ?? Infinity) > now) continue;
      room.againAt = undefined;
      this.#follow(now, key, out, () => room.follower.again());
    }
    this.#syncs.ask(this, out);
    return out;
  }

  /** What is unread in a room was asked for; undefined when that did not come, and is asked for again. */
  counted(key: string, tag: number, row: RoomRow | undefined): Outcome {
    const { seq: at, read_seq, unread, mentions } = row ?? { seq: 0 };
    if (row) this.rooms.get(key)?.counted(tag, read_seq ?? 0, { at, unread: unread ?? 0, mentions: mentions ?? 0 });
    return { effects: [], news: row ? [{ about: "room", room: key }, { about: "rooms" }] : [] };
  }

  /** The messages to send now. Only one tab asks. */
  nextFrames(now: number): Said[] {
    if (!this.isConnected) return [];
    return this.outbox.next(now, this.limits, (key) => this.rooms.get(key)?.isGone === false);
  }

  /** The socket has closed with this code, or could not be opened. */
  closed(code: number | undefined): Outcome {
    this.isConnected = false;
    this.people.disconnected();
    if (code === 1009) this.outbox.tooLarge();
    this.outbox.disconnected();
    for (const room of this.rooms.values()) room.disconnected();
    return { effects: [], news: [{ about: "hello" }, { about: "outbox" }, { about: "people" }] };
  }

  /** The first frame of a socket, as it would be now: for a tab that comes later. */
  hello(): Connected | undefined {
    if (!this.isConnected || this.epoch === undefined) return undefined;
    const rooms = [...this.rooms.values()].filter((room) => !room.isGone).map((room) => room.state());
    return {
      user_id: this.userId, username: this.me, session: this.#session, epoch: this.epoch, heartbeat_ms: this.#heartbeat,
      limits: this.limits, settings: this.settings, rooms, more_rooms: this.#listing ? 1 : 0, online: this.people.here,
    };
  }

  /** Who comes to `general` takes no number there: that somebody is there for the first time is seen by their coming. */
  #cameToGeneral({ event, usernames }: { event: "joined" | "left"; usernames: string[] }, out: Outcome): void {
    this.people.toldComing(usernames, event === "joined");
    out.news.push({ about: "people" });
    const room = this.rooms.get(GENERAL);
    if (!room) return;
    room.membersAt += 1;
    out.news.push({ about: "room", room: GENERAL });
  }

  #pastOf(key: string): Past {
    return (this.#lookedAt ?? GENERAL) === key ? "pages" : "later";
  }

  #connected(now: number, hello: Connected, out: Outcome): void {
    if (this.epoch !== undefined && this.epoch !== hello.epoch) this.wasRestored = true;
    this.isConnected = true;
    this.me = hello.username;
    this.userId = hello.user_id;
    this.limits = hello.limits;
    this.settings = hello.settings ?? {};
    this.hasLimits = true;
    this.#heartbeat = hello.heartbeat_ms;
    this.#session = hello.session;
    this.epoch = hello.epoch;
    this.people.learnName(hello.user_id, hello.username);
    this.people.begins(hello.online);
    this.#syncs.clear();
    this.#listing = undefined;
    const listed = new Set(hello.rooms.map((room) => room.room));
    for (const about of hello.rooms) this.#here(now, about, true, out);
    const known = new Set<string>();
    for (const [key, room] of this.rooms) {
      if (listed.has(key)) continue;
      if ((hello.more_rooms ?? 0) > 0 && !room.isGone) known.add(key);
      else this.#gone(key, out);
    }
    if ((hello.more_rooms ?? 0) > 0) {
      this.#listing = new Listing(known, ++this.#lastTag);
      this.#listing.ask(out);
    }
    out.news.push({ about: "hello" }, { about: "rooms" }, { about: "settings" });
  }

  /** The user is in this room, and hears what comes after its `seq`. */
  #here(now: number, about: RoomState, isFirst: boolean, out: Outcome): void {
    const key = about.room;
    let room = this.rooms.get(key);
    if (!room) this.rooms.set(key, (room = new Room(key, this.#pastOf(key))));
    this.people.learnPersons(about.users ?? []);
    const isNew = room.epoch === undefined, hasCome = isNew || room.isGone;
    const isSame = isNew || room.epoch === this.epoch;
    // A list that was read meanwhile knew more than the socket has told yet.
    const isAhead = this.#pastOf(key) === "later" && !hasCome && about.seq < room.about.seq;
    room.isGone = false;
    room.me = this.userId;
    room.tell(about);
    if (!about.slow_seconds) this.outbox.endSlow(about.room);
    out.news.push({ about: "rooms" }, { about: "room", room: key });
    // It has heard of the room all the while.
    if (!isFirst && !hasCome && !isAhead) return room.toldUnread();
    room.epoch = this.epoch;
    room.follower.want(this.#pastOf(key));
    room.nextPage = room.againAt = undefined;
    this.#follow(now, key, out, (it) => it.follower.connected(about.seq, isSame));
    room.toldUnread();
  }

  #gone(key: string, out: Outcome): void {
    this.#syncs.forget(key);
    const room = this.rooms.get(key);
    if (!room || room.isGone) return;
    room.leave();
    this.outbox.refuseAll(key, "gone");
    out.news.push({ about: "gone", room: key }, { about: "rooms" }, { about: "room", room: key }, { about: "outbox" });
  }

  #roomNews(now: number, news: Extract<Heard, { type: "room" }>, out: Outcome): void {
    if ("gone" in news && news.gone) return this.#gone(news.room, out);
    if (!("changed" in news)) {
      const isFirst = this.#listing?.known.delete(news.room) ?? false;
      return this.#here(now, news as RoomState, isFirst, out);
    }
    if (news.changed.includes("draft") && news.draft) out.news.push({ about: "draft", room: news.room, draft: news.draft });
    this.rooms.get(news.room)?.changed(news);
    if (!this.rooms.get(news.room)?.about.slow_seconds) this.outbox.endSlow(news.room);
    out.news.push({ about: "rooms" }, { about: "room", room: news.room });
  }

  #read(marker: Extract<Heard, { type: "read" }>, out: Outcome): void {
    const room = this.rooms.get(marker.room);
    if (!room) return;
    if (marker.user_id !== this.userId) room.receipts.set(marker.user_id, marker.seq);
    else if (marker.thread != null) {
      room.threads.marked(marker.thread, marker.seq);
      out.news.push({ about: "thread_read", room: marker.room, thread: marker.thread });
    } else room.marked(marker);
    out.news.push({ about: "rooms" }, { about: "room", room: marker.room });
  }

  #acked(ack: Ack, out: Outcome): void {
    const pending = this.outbox.acked(ack);
    const room = this.rooms.get(ack.room);
    if (!pending || !room) return;
    out.news.push({ about: "outbox" }, { about: "room", room: ack.room });
    room.wrote(ack.seq);
    if (pending.deed.do !== "post") return;
    const message = storedAs(pending, ack, this.userId, this.me);
    room.threads.take(message);
    if (!isInThreadOnly(message)) room.timeline.putIfAbsent(message);
    room.recount();
  }

  #refused(now: number, error: ErrorFrame, out: Outcome): void {
    if (error.ref === this.#syncs.ref) {
      for (const key of this.#syncs.answered()) this.#follow(now, key, out, (room) => room.follower.refused(error.code));
      return;
    }
    const isOurs = error.ref ? this.outbox.find(error.ref) : undefined;
    if (!this.outbox.refused(now, error)) out.news.push({ about: "refused", error });
    if (isOurs) out.news.push({ about: "outbox" }, { about: "room", room: isOurs.room });
  }

  #synced(now: number, rooms: Record<string, Upto | { gone: boolean }>, out: Outcome): void {
    this.#syncs.answered();
    for (const [key, synced] of Object.entries(rooms)) {
      if ("gone" in synced) this.#gone(key, out);
      else this.#follow(now, key, out, (room) => room.follower.synced(synced.seq, synced.complete));
    }
    out.news.push({ about: "hello" });
  }

  /** Does something with a room, and carries out what its follower wants then. */
  #follow(now: number, key: string, out: Outcome, act: (room: Room) => Step[]): void {
    const room = this.rooms.get(key);
    if (!room || room.isGone) return;
    const steps = act(room);
    room.recount();
    for (const step of steps) {
      switch (step.do) {
        case "begin":
          room.timeline.begin(step.id, true);
          if (this.#lookedAt === key) out.effects.push(...this.fetchOlder(key).effects);
          break;
        case "fetch_latest":
        case "fetch_since": {
          const query: Query = step.do === "fetch_latest" ? { at: "latest" } : { at: "since", seq: step.seq };
          room.nextPage = ++this.#lastTag;
          out.effects.push({ do: "fetch", room: key, query, tag: room.nextPage });
          break;
        }
        case "sync":
          this.#syncs.want(key);
          break;
        case "pause":
          room.pause(now);
          break;
        case "show":
          this.#show(room, step.messages, out);
          break;
        case "forget":
          room.forget();
          out.news.push({ about: "room", room: key });
          break;
      }
    }
  }

  /** The next messages of a room, or messages that have changed. */
  #show(room: Room, messages: Message[], out: Outcome): void {
    let isNews = false;
    for (const message of messages) {
      const known = room.about.seq, isFromHere = this.outbox.seen(message) !== undefined, isMine = isFromHere || message.user_id === this.userId;
      room.takes(message, isFromHere);
      room.threads.take(message);
      const isNew = message.id === message.seq && message.id > known;
      if (isNew && isWritten(message) && !isMine) {
        out.news.push({ about: "came", room: room.key, message, isMention: mentions(message, this.userId) });
      }
      isNews ||= isMine;
    }
    room.timeline.put(messages.filter((one) => !isInThreadOnly(one)));
    room.refresh(messages);
    room.recount();
    if (room.key !== this.#lookedAt) room.trim();
    out.news.push({ about: "shown", room: room.key, messages }, { about: "rooms" });
    if (isNews) out.news.push({ about: "outbox" });
  }
}
