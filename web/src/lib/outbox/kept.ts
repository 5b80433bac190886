// What waits to be sent, kept by the browser: it is there after a reload, a crash, and days without a connection.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Kept as Seen } from "$lib/store/news";
import type { Pending } from "$lib/store/outbox";

interface Shape extends DBSchema {
  /** What was seen last, so that it is there before the server has answered. */
  seen: { key: number; value: Seen };
  outbox: { key: string; value: Pending & { user: number }; indexes: { user: number } };
}

function readEntry(text: string | null): Pending | undefined {
  try {
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

export class Kept {
  readonly #user: number;
  readonly #open: Promise<IDBPDatabase<Shape>>;
  readonly #moved: (entry: Pending) => void;

  /** `moved` hears of each entry that was found where a page had left it: another tab may be the one that sends. */
  constructor(user: number, moved: (entry: Pending) => void = () => {}) {
    this.#user = user;
    this.#moved = moved;
    this.#open = openDB<Shape>("parlour", 2, {
      upgrade(db, from) {
        db.createObjectStore("seen");
        if (from < 1) db.createObjectStore("outbox", { keyPath: "client_id" }).createIndex("user", "user");
      },
    });
  }

  /** What the browser's storage holds of it, which is written at once: the database has it a moment later, and the page may go
   *  in between. */
  #name(client_id: string): string {
    return `parlour.sending.${this.#user}.${client_id}`;
  }

  #names(): string[] {
    return Object.keys(localStorage).filter((key) => key.startsWith(this.#name("")));
  }

  /** What a page that is gone has left in the storage goes to the database. */
  async #moveOver(): Promise<void> {
    if (this.#names().length === 0) return;
    const work = (await this.#open).transaction("outbox", "readwrite");
    const held = new Set<string>(await work.store.getAllKeys());
    // Another tab may have moved its own meanwhile.
    const left = this.#names().map((name) => ({ name, text: localStorage.getItem(name) }));
    const fresh = left.flatMap(({ name, text }) => {
      const entry = readEntry(text);
      return entry && name === this.#name(entry.client_id) && !held.has(entry.client_id) ? [entry] : [];
    });
    for (const entry of fresh) void work.store.put({ ...entry, user: this.#user });
    await work.done;
    for (const { name } of left) localStorage.removeItem(name);
    for (const entry of fresh) this.#moved(entry);
  }

  /** All that waits, oldest first. */
  async all(): Promise<Pending[]> {
    await this.#moveOver();
    const rows = await (await this.#open).getAllFromIndex("outbox", "user", this.#user);
    // Who had it on its way is gone: whether it has arrived is asked by sending it again.
    const entries = rows.map(({ user: _, ...entry }) => (entry.delivery === "sent" ? { ...entry, delivery: "waiting" as const } : entry));
    return entries.sort((a, b) => a.order - b.order);
  }

  /** Keeps one more. As soon as this is called, it outlives the page. */
  async add(entry: Pending): Promise<void> {
    const name = this.#name(entry.client_id);
    try {
      localStorage.setItem(name, JSON.stringify(entry));
    } catch {
      // The storage is full: the database has it in a moment.
    }
    await (await this.#open).put("outbox", { ...entry, user: this.#user });
    localStorage.removeItem(name);
  }

  async put(entry: Pending): Promise<void> {
    const work = (await this.#open).transaction("outbox", "readwrite");
    // What was taken out meanwhile stays out.
    if (await work.store.get(entry.client_id)) await work.store.put({ ...entry, user: this.#user });
    await work.done;
  }

  async drop(client_id: string): Promise<void> {
    localStorage.removeItem(this.#name(client_id));
    await (await this.#open).delete("outbox", client_id);
  }

  async seen(): Promise<Seen | undefined> {
    return (await this.#open).get("seen", this.#user);
  }

  async keepSeen(seen: Seen): Promise<void> {
    await (await this.#open).put("seen", seen, this.#user);
  }

  /** Forgets all of this user's. */
  async wipe(): Promise<void> {
    for (const name of this.#names()) localStorage.removeItem(name);
    const db = await this.#open;
    await db.delete("seen", this.#user);
    const work = db.transaction("outbox", "readwrite");
    for (const key of await work.store.index("user").getAllKeys(this.#user)) await work.store.delete(key);
    await work.done;
  }

  async close(): Promise<void> {
    (await this.#open).close();
  }
}
