// Asking what is unread, where that is not sure.
import type { Outcome } from "./news";
import type { Room } from "./room";

/** Rooms that are asked about at once. */
const MOST_ASKED = 4;

/** Asks, under the tags behind this one; says which was the last. */
export function askWhatIsUnread(rooms: ReadonlyMap<string, Room>, now: number, lastTag: number, out: Outcome): number {
  let tag = lastTag;
  for (const [key, room] of rooms) {
    if (tag === lastTag + MOST_ASKED) break;
    if (room.isGone || room.epoch === undefined || room.isSure || !room.reading.ask(now, tag + 1)) continue;
    out.effects.push({ do: "count", room: key, tag: ++tag });
  }
  return tag;
}
