// What is worth keeping over a reload: the rooms, and of those that were looked at the latest messages.
import type { Message } from "$lib/api/types";
import type { Past } from "./follower";
import type { Kept, KeptRoom } from "./news";
import type { People } from "./people";
import { Room } from "./room";

/** Latest messages that are kept of a room. */
const KEPT = 60;
/** Grows when what is kept holds more than before: what was kept without that is read from the server anew, once. */
export const FORM = 1;

/** A first message with what stands under it by now: replies change that, and not the message, which does not come again. */
function withReplies(message: Message, { threads }: Room): Message {
  const replies = threads.replies(message.id);
  return replies ? { ...message, replies } : message;
}

export function snapshot(all: ReadonlyMap<string, Room>, epoch: string, lookedAt: string | undefined): Kept {
  const rooms = [...all.values()].filter((room) => !room.isGone && room.epoch === epoch).map((room): KeptRoom => {
    const messages = room.timeline.messages.slice(-KEPT).map((one) => withReplies(one, room));
    return { about: room.state(), cursor: room.follower.cursor, messages: room.key === lookedAt || messages.length > 1 ? messages : [] };
  });
  return { form: FORM, epoch, rooms };
}

/** A room as it was kept. */
export function restored({ about, cursor, messages }: KeptRoom, epoch: string, past: Past, me: number, people: People): Room {
  const room = new Room(about.room, past);
  room.me = me;
  room.tell(about);
  room.toldUnread();
  people.learnPersons(about.users ?? []);
  const [first] = messages;
  if (!first) return room;
  room.epoch = epoch;
  room.follower.restore(cursor);
  room.timeline.begin(first.id, true);
  room.timeline.put(messages);
  for (const message of messages) room.threads.take(message), people.learnName(message.user_id, message.username);
  return room;
}
