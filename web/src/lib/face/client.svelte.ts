// What the components read and call: the store, with a sign for each part of it that has changed. The first change is told with
// the next frame of the screen, and those that follow it together, however many come.
import { SvelteMap } from "svelte/reactivity";
import { Refusal, path, type Answer } from "$lib/api/http";
import type { Login, Session } from "$lib/api/session";
import type { Member, Message, Presence, Profile, Room as RoomRow, Said, Seen, Ticket } from "$lib/api/types";
import { Kept } from "$lib/outbox/kept";
import { tooLong, type Deed, type Pending, type TooLong } from "$lib/store/outbox";
import type { Effect, News, Outcome } from "$lib/store/news";
import { Store } from "$lib/store/store";
import type { Room } from "$lib/store/room";
import type { Status } from "$lib/wire/link";
import { Wire } from "$lib/wire/wire";
import { Commands } from "./commands";
import { firstSince, type Found } from "./dates";
import { Drafts } from "./drafts";
import { LaterList } from "./later";
import { randomId } from "./random";

const PAGE = 50;
/** So often is told at most what comes without end: keys are drawn in between. */
const TELL_AGAIN = 60;
type Part = "rooms" | "people" | "outbox" | "hello" | "later" | "settings";

export class Client {
  readonly store: Store;
  readonly session: Login;
  readonly me: { id: number; username: string };
  /** Where the connection stands. */
  status: Status = $state.raw({ is: "connecting", since: Date.now() });
  /** Now, by the second. */
  now = $state(Date.now());
  /** Since when there is no connection. */
  downSince: number | undefined = $state(Date.now());
  heardAt: number | undefined = $state();
  /** What happened that leaves no trace on the screen. */
  onnews: (news: News) => void = () => {};
  readonly #ears = new Set<(news: News) => void>();

  readonly #tab = randomId().slice(0, 16);
  readonly #wire: Wire;
  readonly #kept: Kept;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #parts: Record<Part, number> = $state({ rooms: 0, people: 0, outbox: 0, hello: 0, later: 0, settings: 0 });
  readonly #roomParts = new SvelteMap<string, number>();
  readonly #dirty = new Set<string>();
  readonly members = new Map<string, { at: number; members: Member[] }>();
  /** Rooms that were left from here, of one's own will. */
  readonly left = new Set<string>();
  readonly drafts = new Drafts(this);
  readonly commands = new Commands(this);
  readonly later = new LaterList(this);
  #isTelling = false;
  #toldAt = -Infinity;
  #lastOrder = 0;
  /** The login is over: nothing more is kept. */
  #isOver = false;
  #ticks = 0;

  constructor(session: Session, me: { id: number; username: string }) {
    this.session = session.of(me);
    this.me = me;
    this.store = new Store(this.#tab);
    this.store.userId = me.id;
    this.store.me = me.username;
    this.store.people.learnName(me.id, me.username);
    this.#kept = new Kept(me.id, (entry) => this.#wire.tellOutbox(entry, undefined));
    this.store.outbox.onchange = (put, drop) => {
      if (this.#wire.isLeader) this.#keep(put, drop);
    };
    this.#wire = new Wire(me.id, this.#tab, (fresh) => this.#ticket(fresh), {
      frame: (frame) => {
        this.heardAt = Date.now();
        this.#done(this.store.frame(Date.now(), frame));
        if (frame.type === "system" && "epoch" in frame) this.#askPresence();
      },
      closed: (code) => {
        if (this.store.isConnected) this.#keepSeen(); // the page may be loaded anew before there is one again
        this.#done(this.store.closed(code));
      },
      status: (status) => {
        if (status.is === "connected") this.downSince = undefined;
        else this.downSince ??= Date.now();
        this.status = status;
      },
      outbox: (put, drop) => {
        if (put) this.store.outbox.put(put);
        if (drop) this.store.outbox.drop(drop);
        this.#mark("outbox");
        for (const key of this.store.rooms.keys()) this.#mark(key);
        this.#pump();
      },
      leads: () => void this.#restore(),
      hello: () => this.store.hello(), ended: () => this.session.ended(),
    });
    this.#restore().then(() => this.drafts.dropSent(this.store.outbox.all));
    this.#kept.seen().then((seen) => {
      if (seen) this.learn((store) => store.restore(seen), "rooms", "hello", ...seen.rooms.map((one) => one.about.room));
    }, () => {});
    addEventListener("pagehide", this.#keepSeen);
    for (const ear of [this.#keepSeen, this.#tell]) document.addEventListener("visibilitychange", ear);
    this.#timer = setInterval(() => {
      this.now = Date.now();
      this.#done(this.store.tick(this.now));
      this.#askPresence();
      this.#pump();
      if (++this.#ticks % 20 === 0) this.#keepSeen();
    }, 1_000);
  }

  /** Hears what happens, until what it returns is called. */
  hear(ear: (news: News) => void): () => void {
    this.#ears.add(ear);
    return () => this.#ears.delete(ear);
  }

  /** Marks that what is read depends on this part. */
  watch(part: Part): void {
    void this.#parts[part];
  }

  /** A room, as it now is. What reads it is run again when it has changed. */
  room(key: string | undefined): Room | undefined {
    if (key === undefined) return undefined;
    void this.#roomParts.get(key);
    void this.#parts.rooms;
    return this.store.rooms.get(key);
  }

  get rooms(): Room[] {
    this.watch("rooms");
    return [...this.store.rooms.values()].filter((room) => !room.isGone);
  }

  get outbox(): readonly Pending[] {
    this.watch("outbox");
    return this.store.outbox.all;
  }

  pendingOf(room: string): Pending[] {
    this.watch("outbox");
    return this.store.outbox.of(room);
  }

  /** Whether this tab has the line. */
  get isLeader(): boolean {
    return this.#wire.isLeader;
  }

  get isConnected(): boolean {
    this.watch("hello");
    return this.store.isConnected && this.status.is === "connected";
  }

  #askPresence(): void {
    if (this.store.isConnected && this.store.people.asks(Date.now())) this.say({ type: "presence" });
  }

  /** How someone is seen; undefined as long as nobody has told. */
  presence(user: number): Presence | undefined {
    this.watch("people");
    return this.store.people.presence(user);
  }

  seen(user: number): Seen | undefined {
    this.watch("people");
    return this.store.people.seen(user);
  }

  name(user: number, username = ""): string {
    this.watch("people");
    return this.store.people.display(user, username);
  }

  say(frame: Said): void {
    this.#wire.say(frame);
  }

  tryNow(): void {
    this.#wire.tryNow();
  }

  lookAt(key: string): void {
    this.#done(this.store.lookAt(key));
  }

  fetchOlder(key: string): void {
    this.#done(this.store.fetchOlder(key));
  }

  /** Looks at the messages around one, where it is not at hand. False when it is not there any more. */
  async glanceAt(key: string, id: number): Promise<boolean> {
    const { body, prev, next } = await this.#page(key, `around=${id}&limit=60`);
    this.learn((store) => store.rooms.get(key)?.glanceAt(body, prev !== undefined, next !== undefined), key);
    this.#tell(); // whoever has asked goes there now
    return body.some((one) => one.id === id);
  }

  /** The first message of a room at or after a moment; undefined when all are older. */
  async firstSince(key: string, since: number): Promise<Found | undefined> {
    const top = this.store.rooms.get(key)?.top ?? 0;
    return firstSince(since, top, async (after) => (await this.#page(key, `after=${after}&limit=1`)).body[0]);
  }

  /** More of what is looked at. */
  async glanceOn(key: string, where: "older" | "newer"): Promise<void> {
    const glance = this.store.rooms.get(key)?.glance;
    const id = where === "older" ? glance?.messages[0]?.id : glance?.messages.at(-1)?.id;
    if (!glance || id === undefined) return;
    const { body, prev, next } = await this.#page(key, `${where === "older" ? "before" : "after"}=${id}&limit=60`);
    const room = this.store.rooms.get(key);
    if (room?.glance !== glance) return;
    const isOlder = where === "older";
    this.learn(() => room.glanceAt(
      isOlder ? [...body, ...glance.messages] : [...glance.messages, ...body],
      isOlder ? prev !== undefined : glance.older, isOlder ? glance.newer : next !== undefined,
    ), key);
  }

  #page(key: string, query: string): Promise<Answer<Message[]>> {
    return this.session.ask<Message[]>("GET", `${path`/api/rooms/${key}/messages`}?${query}`);
  }

  /** Who is in a room; asked for once, and again when somebody has come or gone. */
  async membersOf(key: string, fresh = false): Promise<Member[]> {
    const room = this.store.rooms.get(key);
    const known = this.members.get(key);
    if (known && !fresh && known.at === room?.membersAt) return known.members;
    const at = room?.membersAt ?? 0;
    const members: Member[] = [];
    try {
      for (let next: string | undefined = `${path`/api/rooms/${key}/members`}?limit=200`; next && members.length < 2_000; ) {
        const answer: Answer<Member[]> = await this.session.ask<Member[]>("GET", next);
        members.push(...answer.body);
        next = answer.next;
      }
    } catch (error) {
      if (known) return known.members;
      throw error;
    }
    this.learn((store) => store.people.learnMembers(members), "people");
    this.members.set(key, { at, members });
    return members;
  }

  /** Asks who somebody is, once. */
  learnPeople(users: Iterable<number>): void {
    for (const user of this.store.people.unknown(users)) {
      this.session.ask<Profile>("GET", path`/api/users/${user}`).then(
        ({ body }) => this.learn((store) => store.people.learnProfile(body), "people"),
        () => {},
      );
    }
  }

  /** A room that was asked for by its people, or made. */
  opened(row: RoomRow): void {
    this.#done(this.store.opened(Date.now(), row));
  }

  /** Something was fetched that the store is to know. */
  learn(work: (store: Store) => void, ...parts: (Part | string)[]): void {
    work(this.store);
    for (const part of parts) this.#mark(part);
  }

  /** Why a text cannot be sent, as far as its length goes. */
  tooLong(room: string, content: string): TooLong | undefined {
    return tooLong(this.store.limits, room, content);
  }

  /** Puts a message on its way, or a change of one. It is shown, kept by the browser, and then sent. */
  do(room: string, deed: Deed, content = ""): void {
    if (this.#isOver) return;
    this.#lastOrder = Math.max(this.#lastOrder + 1, Date.now() * 1_000);
    const entry: Pending = {
      client_id: randomId(), order: this.#lastOrder, room, deed, content, at: Date.now(), delivery: "waiting", is_tried: false,
    };
    this.store.outbox.put(entry);
    if (deed.do === "post") this.store.people.hasStopped();
    this.#mark("outbox");
    this.#mark(room);
    const told = () => {
      this.#wire.tellOutbox(entry, undefined);
      this.#pump();
    };
    // Where it cannot be kept, it is sent all the same.
    this.#kept.add(entry).then(told, told);
  }

  retry(entry: Pending): void {
    this.store.outbox.retry(entry.client_id);
    this.#changed(entry);
    this.#pump();
  }

  /** Takes one out that was refused or not tried yet. */
  takeBack(entry: Pending): Pending | undefined {
    const taken = this.store.outbox.takeBack(entry.client_id);
    this.#changed(entry);
    return taken;
  }

  /** Forgets what the browser keeps of this user, and ends the login. False when the server could not be told. */
  async logOut(): Promise<boolean> {
    this.#isOver = true;
    await this.#kept.wipe().catch(() => {});
    this.store.outbox.clear();
    this.drafts.wipe();
    const isTold = await this.session.logOut();
    // The page was still there while the server was told.
    this.drafts.wipe();
    return isTold;
  }

  readonly #keepSeen = (): void => {
    // Another tab may be forgetting it.
    const seen = this.isOver ? undefined : this.store.snapshot();
    if (seen) void this.#kept.keepSeen(seen).catch(() => {});
  };

  /** Whether the login is over, or is being ended: nothing more is kept, sent or told. */
  get isOver(): boolean {
    return this.#isOver || this.session.isEnding();
  }

  end(): void {
    this.#isOver = true;
    this.drafts.end();
    this.onnews = () => {};
    removeEventListener("pagehide", this.#keepSeen);
    for (const ear of [this.#keepSeen, this.#tell]) document.removeEventListener("visibilitychange", ear);
    clearInterval(this.#timer);
    this.#wire.end();
    void this.#kept.close().catch(() => {});
  }

  #changed({ client_id, room }: Pending): void {
    const now = this.store.outbox.find(client_id);
    this.#keep(now, now ? undefined : client_id);
    this.#mark("outbox");
    this.#mark(room);
  }

  /** Keeps what has become of an entry, and tells the other tabs. */
  #keep(put: Pending | undefined, drop: string | undefined): void {
    if (this.#isOver) return;
    this.#wire.tellOutbox(put, drop);
    if (put) void this.#kept.put(put).catch(() => {});
    if (drop) void this.#kept.drop(drop).catch(() => {});
  }

  #restore(): Promise<void> {
    return this.#kept.all().then(
      (entries) => {
        for (const entry of entries) {
          if (!this.store.outbox.find(entry.client_id)) this.store.outbox.put(entry);
          this.#mark(entry.room);
        }
        this.#mark("outbox");
        this.#pump();
      },
      () => {},
    );
  }

  async #ticket(fresh: boolean): Promise<{ ticket: string } | { status: number; after?: number }> {
    try {
      if (fresh) await this.session.token(true);
      return { ticket: (await this.session.ask<Ticket>("POST", "/api/auth/ws-ticket")).body.ticket };
    } catch (error) {
      return error instanceof Refusal ? { status: error.status, after: error.after } : { status: 0 };
    }
  }

  #pump(): void {
    if (!this.#wire.isLeader) return;
    const frames = this.store.nextFrames(Date.now());
    for (const frame of frames) this.#wire.say(frame);
    if (frames.length > 0) this.#mark("outbox");
  }

  #done({ effects, news }: Outcome): void {
    for (const effect of effects) this.#carryOut(effect);
    for (const one of news) {
      for (const ear of this.#ears) ear(one);
      if ("room" in one) this.#mark(one.room);
      else if (one.about !== "refused") this.#mark(one.about);
      if (one.about !== "rooms" && one.about !== "people" && one.about !== "room" && one.about !== "outbox") this.onnews(one);
    }
    this.#pump();
  }

  #carryOut(effect: Effect): void {
    if (effect.do === "say") this.#wire.say(effect.frame);
    else if (effect.do === "fetch") void this.#fetch(effect);
    else if (effect.do === "count") void this.#count(effect);
    else void this.#list(effect);
  }

  async #fetch(effect: Extract<Effect, { do: "fetch" }>): Promise<void> {
    const { room, query } = effect;
    const where = query.at === "latest" ? "" : query.at === "before" ? `&before=${query.id}` : `&since=${query.seq}`;
    const limit = query.at === "since" ? 200 : PAGE;
    try {
      const { body, prev, next } = await this.session.ask<Message[]>("GET", `${path`/api/rooms/${room}/messages`}?limit=${limit}${where}`);
      const more = query.at === "since" ? next !== undefined : prev !== undefined;
      this.#done(this.store.page(Date.now(), effect, { messages: body, more }));
    } catch {
      this.#done(this.store.page(Date.now(), effect, undefined));
    }
  }

  async #count({ room, tag }: Extract<Effect, { do: "count" }>): Promise<void> {
    const answer = await this.session.ask<RoomRow>("GET", path`/api/rooms/${room}`).catch(() => undefined);
    this.#done(this.store.counted(room, tag, answer?.body));
  }

  async #list({ cursor, tag }: Extract<Effect, { do: "list" }>): Promise<void> {
    try {
      const { body, next } = await this.session.ask<RoomRow[]>("GET", cursor ?? "/api/rooms");
      this.#done(this.store.listed(Date.now(), tag, { rooms: body, next }));
    } catch {
      this.#done(this.store.listed(Date.now(), tag, undefined));
    }
  }

  #mark(part: Part | string): void {
    this.#dirty.add(part);
    if (this.#isTelling) return;
    this.#isTelling = true;
    const wait = this.#toldAt + TELL_AGAIN - performance.now();
    // A tab that nobody looks at has no frames; one that is left at this moment is told at once.
    const withFrame = () => (document.visibilityState === "visible" ? requestAnimationFrame(this.#tell) : this.#tell());
    if (wait <= 0 && document.visibilityState === "visible") withFrame();
    else setTimeout(withFrame, Math.max(wait, 0));
  }

  readonly #tell = (): void => {
    if (!this.#isTelling) return;
    this.#isTelling = false;
    this.#toldAt = performance.now();
    const parts = [...this.#dirty];
    this.#dirty.clear();
    for (const one of parts) {
      if (one in this.#parts) this.#parts[one as Part] += 1;
      else this.#roomParts.set(one, (this.#roomParts.get(one) ?? 0) + 1);
    }
  };
}
