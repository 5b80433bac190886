// What waits to be sent, kept by the browser: it is there after a reload, a crash, and days without a connection.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Kept as Seen } from "$lib/store/news";
import type { Pending } from "$lib/store/outbox";

interface Shape extends DBSchema {
  /** What was seen last, so that it is there before the server has answered. */
  seen: { key: number; value: Seen };
  outbox: { key: string; value: Pending & { user: number }; indexes: { user: number } };
}

export class Kept {
  readonly #user: number;
  readonly #open: Promise<IDBPDatabase<Shape>>;

  constructor(user: number) {
    this.#user = user;
    this.#open = openDB<Shape>("parlour", 2, {
      upgrade(db, from) {
        db.createObjectStore("seen");
        if (from < 1) db.createObjectStore("outbox", { keyPath: "client_id" }).createIndex("user", "user");
      },
    });
  }

  /** All that waits, oldest first. */
  async all(): Promise<Pending[]> {
    const rows = await (await this.#open).getAllFromIndex("outbox", "user", this.#user);
    // Who had it on its way is gone: whether it has arrived is asked by sending it again.
    const entries = rows.map(({ user: _, ...entry }) => (entry.delivery === "sent" ? { ...entry, delivery: "waiting" as const } : entry));
    return entries.sort((a, b) => a.order - b.order);
  }

  async add(entry: Pending): Promise<void> {
    await (await this.#open).put("outbox", { ...entry, user: this.#user });
  }

  async put(entry: Pending): Promise<void> {
    const work = (await this.#open).transaction("outbox", "readwrite");
    // What was taken out meanwhile stays out.
    if (await work.store.get(entry.client_id)) await work.store.put({ ...entry, user: this.#user });
    await work.done;
  }

  async drop(client_id: string): Promise<void> {
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
