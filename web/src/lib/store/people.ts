// What is known of people: how they are seen, who is writing, and what they say of themselves. What a socket has said of
// presence is forgotten with the socket.
import type { About, Heard, Member, Message, Person, Presence, PresenceNews, Profile, Seen, TypingNews, UserNews } from "$lib/api/types";

/** How long someone is taken to be writing who has said so. */
const WRITES_FOR = 6_000;
/** How often is told that the user is writing, as long as they are. */
const SAY_AGAIN = 3_000;
/** How long an answer to who is here is waited for. */
const ASK_AGAIN = 6_000;

const placeOf = (room: string, thread: number | undefined) => `${room} ${thread ?? ""}`;

export class People {
  #seen = new Map<number, Seen>();
  /** Whether this socket has been told of everyone: only then is whoever was not named offline. */
  #isTold = false;
  #askedAt: number | undefined;
  /** Names of those who had a socket when this one opened, or opened one since. */
  #here = new Set<string>();
  #about = new Map<number, About>();
  #names = new Map<number, string>();
  /** Room and thread → who writes there, until when. */
  #writing = new Map<string, Map<number, { until: number; name: string }>>();
  #told: { place: string; at: number } | undefined;
  /** Whom the server has been asked about, or has told of by itself. */
  #known = new Set<number>();

  seen(user: number): Seen | undefined {
    return this.#seen.get(user);
  }

  /** How someone is seen; undefined as long as nobody has told. */
  presence(user: number): Presence | undefined {
    const seen = this.seen(user);
    if (seen || this.#isTold) return seen?.state ?? "offline";
    return this.#here.has(this.#names.get(user) ?? "") ? "online" : undefined;
  }

  /** Names of those who are known to be here: what a tab that comes later is told first. */
  get here(): string[] {
    return [...this.#names].filter(([user]) => (this.presence(user) ?? "offline") !== "offline").map(([, name]) => name);
  }

  /** Who is here, as the first frame of a socket says it. How they are is told some seconds later. */
  begins(online: readonly string[]): void {
    this.#here = new Set(online);
  }

  /** Someone has opened a first socket, or the last one of theirs has gone. */
  toldComing(names: readonly string[], isHere: boolean): void {
    for (const name of names) isHere ? this.#here.add(name) : this.#here.delete(name);
  }

  /** Whether the server is to be asked at this moment who is here: until it has told, and again when no answer came. */
  asks(now: number): boolean {
    if (this.#isTold || (this.#askedAt !== undefined && now < this.#askedAt + ASK_AGAIN)) return false;
    this.#askedAt = now;
    return true;
  }

  about(user: number): About | undefined {
    return this.#about.get(user);
  }

  username(user: number): string | undefined {
    return this.#names.get(user);
  }

  /** What people call someone. */
  display(user: number, username: string): string {
    return this.#about.get(user)?.display_name || username || this.#names.get(user) || "";
  }

  /** Everyone of whom a name is known. */
  everyone(): { user_id: number; username: string }[] {
    return [...this.#names].map(([user_id, username]) => ({ user_id, username }));
  }

  /** Those of these people of whom nothing is known yet. Each is told once. */
  unknown(users: Iterable<number>): number[] {
    const missing = [...new Set(users)].filter((user) => user > 0 && !this.#known.has(user));
    for (const user of missing) this.#known.add(user);
    return missing;
  }

  learnName(user: number, username: string): void {
    if (user > 0 && username) this.#names.set(user, username);
  }

  learnPersons(persons: readonly Person[]): void {
    for (const { user_id, username } of persons) this.learnName(user_id, username);
  }

  learnProfile(profile: Profile): void {
    this.#known.add(profile.id);
    this.learnName(profile.id, profile.username);
    const { display_name, bio, pronouns, time_zone } = profile;
    this.#about.set(profile.id, { display_name, bio, pronouns, time_zone });
  }

  learnMembers(members: readonly Member[]): void {
    for (const member of members) {
      this.learnName(member.user_id, member.username);
      this.#known.add(member.user_id);
      this.#about.set(member.user_id, { ...this.#about.get(member.user_id), display_name: member.display_name });
    }
  }

  /** A frame about people has come. */
  heard(now: number, frame: Extract<Heard, { type: "presence" | "typing" | "user" }>, me: number): void {
    if (frame.type === "presence") this.toldPresence(frame);
    else if (frame.type === "user") this.toldProfile(frame);
    else if (frame.user_id !== me) this.toldTyping(now, frame);
  }

  toldPresence(news: PresenceNews): void {
    if (news.all) this.#seen.clear(), (this.#isTold = true);
    for (const seen of news.users) {
      this.learnName(seen.user_id, seen.username);
      this.#seen.set(seen.user_id, seen);
    }
  }

  toldProfile(news: UserNews): void {
    this.#known.add(news.user_id);
    const { display_name, bio, pronouns, time_zone } = news;
    this.#about.set(news.user_id, { display_name, bio, pronouns, time_zone });
  }

  toldTyping(now: number, news: TypingNews): void {
    const place = placeOf(news.room, news.thread ?? undefined);
    const there = this.#writing.get(place) ?? new Map();
    there.set(news.user_id, { until: now + WRITES_FOR, name: news.username });
    this.#writing.set(place, there);
  }

  /** Who is writing in a room or a thread at this moment. */
  writing(room: string, thread: number | undefined, now: number): { user: number; name: string }[] {
    const there = this.#writing.get(placeOf(room, thread)) ?? [];
    const names = [...there].filter(([, { until }]) => until > now).map(([user, { name }]) => ({ user, name }));
    return names.sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Whoever has written writes no more; true when that was shown. */
  hasWritten(message: Message): boolean {
    this.learnName(message.user_id, message.username);
    const places = [...this.#writing].filter(([place]) => place.startsWith(`${message.room} `));
    return places.filter(([, there]) => there.delete(message.user_id)).length > 0;
  }

  /** Forgets who has stopped writing; true when there was someone. */
  tick(now: number): boolean {
    let changed = false;
    for (const there of this.#writing.values())
      for (const [user, { until }] of there) if (until <= now) changed = there.delete(user);
    return changed;
  }

  /** Whether the server is to be told now that the user is writing here. */
  writesIn(now: number, room: string, thread: number | undefined): boolean {
    const place = placeOf(room, thread);
    if (this.#told?.place === place && now < this.#told.at + SAY_AGAIN) return false;
    this.#told = { place, at: now };
    return true;
  }

  /** What was written is sent: the next letter is told at once. */
  hasStopped(): void {
    this.#told = undefined;
  }

  disconnected(): void {
    this.#seen.clear();
    this.#here.clear();
    [this.#isTold, this.#askedAt] = [false, undefined];
    this.#writing.clear();
    this.#told = undefined;
  }
}
