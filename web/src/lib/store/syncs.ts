// Which rooms are to be brought up to date, and which are asked about: one `sync` at a time, the others come in the next one.
import type { Limits } from "$lib/api/types";
import type { Outcome } from "./news";
import type { Room } from "./room";

/** Most rooms of one `sync`; most bytes of it but for its rooms; of a key, and of what stands around a key and its number. */
const [MAX_SYNC, SYNC_BYTES, MAX_KEY, CURSOR_BYTES] = [1_000, 256, 20, 24];

export class Syncs {
  #wanted = new Set<string>();
  #asked = new Set<string>();

  /** `ref` is that of our `sync` frames: each tab has its own, since all share one socket. */
  constructor(readonly ref: string) {}

  /** Whether an answer is waited for. */
  get isWaiting(): boolean {
    return this.#asked.size > 0;
  }

  want(key: string): void {
    this.#wanted.add(key);
  }

  /** The room is gone. */
  forget(key: string): void {
    this.#wanted.delete(key);
  }

  /** The answer has come, about these rooms. */
  answered(): string[] {
    const keys = [...this.#asked];
    this.#asked.clear();
    return keys;
  }

  clear(): void {
    this.#wanted.clear();
    this.#asked.clear();
  }

  /** One `sync` for all rooms that want one, when none is under way. */
  ask({ rooms: known, limits, epoch }: { rooms: ReadonlyMap<string, Room>; limits: Limits; epoch: string | undefined }, out: Outcome): void {
    if (this.#wanted.size === 0 || this.isWaiting) return;
    let left = limits.frame_bytes - SYNC_BYTES;
    const rooms: Record<string, number> = {};
    for (const key of [...this.#wanted].sort()) {
      this.#wanted.delete(key);
      this.#asked.add(key);
      rooms[key] = known.get(key)?.follower.cursor ?? 0;
      left -= key.length + CURSOR_BYTES;
      if (this.#asked.size === MAX_SYNC || left < MAX_KEY + CURSOR_BYTES) break;
    }
    out.effects.push({ do: "say", frame: { type: "sync", ref: this.ref, rooms, epoch } });
  }
}
