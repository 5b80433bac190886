// Marks all as read: rooms, and the threads that one follows.
import type { Said, Thread } from "$lib/api/types";
import type { Client } from "./client.svelte";

/** So many marks are said at once, fewer than may wait on a socket; the others one by one. */
const AT_ONCE = 20;
const BETWEEN = 100;

export function readAll(client: Client, threads: readonly Thread[]): void {
  const marks: Said[] = client.rooms.filter((one) => one.unread > 0).map((one) => ({ type: "read", room: one.key, seq: one.top }));
  for (const { message: { room, id, replies }, unread } of threads) {
    // A reply may have come since they were listed.
    const last = Math.max(replies?.last_id ?? 0, client.store.rooms.get(room)?.threads.replies(id)?.last_id ?? 0);
    if (unread > 0) marks.push({ type: "read", room, seq: last, thread: id });
  }
  for (const mark of marks.splice(0, AT_ONCE)) client.say(mark);
  for (const [n, mark] of marks.entries()) setTimeout(() => { if (!client.isOver) client.say(mark); }, (n + 1) * BETWEEN);
}
