// What the user has waiting to be said later, as the server keeps it. Frames tell each change; they are never replayed, so the
// list is read again on each connection.
import type { Scheduled, ScheduledNews } from "$lib/api/types";
import type { News } from "./news";

export class Later {
  #all = new Map<number, Scheduled>();
  /** Told since the list was asked for: it may have been read before that. */
  #touched = new Set<number>();
  #asked = 0;

  /** In the order of the times. */
  get all(): Scheduled[] {
    return [...this.#all.values()].sort((a, b) => Date.parse(a.send_at) - Date.parse(b.send_at) || a.id - b.id);
  }

  get failed(): number {
    return this.all.filter((one) => one.failed).length;
  }

  /** The list is asked for: the number of this question. */
  asks(): number {
    this.#touched.clear();
    return ++this.#asked;
  }

  /** The whole list has come. What was told meanwhile is newer, and so is what was asked for later. */
  listed(rows: readonly Scheduled[], asked: number): void {
    if (asked !== this.#asked) return;
    const told = [...this.#all].filter(([id]) => this.#touched.has(id));
    this.#all = new Map([...rows.filter((one) => !this.#touched.has(one.id)).map((one) => [one.id, one] as const), ...told]);
  }

  told({ change, scheduled }: Pick<ScheduledNews, "change" | "scheduled">): void {
    this.#touched.add(scheduled.id);
    if (change === "sent" || change === "cancelled") this.#all.delete(scheduled.id);
    else this.#all.set(scheduled.id, scheduled);
  }

  /** It is not waiting any more. */
  forget(id: number): void {
    this.#touched.add(id);
    this.#all.delete(id);
  }
}

/** What is to be told of it: what could not be said, and a reminder whose time has come. */
export function laterNews({ change, scheduled, message }: ScheduledNews): News {
  const isReminder = scheduled.kind === "reminder";
  return { about: "later", failed: change === "failed" ? scheduled : undefined, due: change === "sent" && isReminder ? { ...scheduled, message } : undefined };
}
