// The same thing in the forms in which it is told: by a frame, by a page, by an answer.
import type { Ack, Heard, Message, Room as RoomRow, RoomState } from "$lib/api/types";
import type { Pending } from "./outbox";

/** A message as a page has it, of a frame. */
export function messageOf(frame: Extract<Heard, { type: "message" | "message_changed" }>): Message {
  const { type: _, timestamp, ...rest } = frame as unknown as Message & { type: string; timestamp?: string };
  return { ...rest, created_at: timestamp ?? rest.created_at };
}

/** A message of one's own, as the server has stored it. */
export function storedAs({ content, client_id, deed }: Pending, ack: Ack, user_id: number, username: string): Message {
  const { reply_to, thread, also_to_room } = deed as Extract<Pending["deed"], { do: "post" }>;
  return {
    id: ack.id, seq: ack.seq, room: ack.room, user_id, username, content, client_id, created_at: ack.timestamp,
    ...(reply_to && { reply_to }), ...(thread && { thread }), ...(also_to_room && { also_to_room }),
  };
}

/** A room as the first frame of a socket tells it, of one in a list. */
export function stateOf(row: RoomRow): RoomState {
  const { room, name, kind, topic, role, muted_until, slow_seconds, archived_at, users, hidden, seq, last_at } = row;
  return {
    room, name, kind, topic, role, muted_until, slow_seconds, archived_at, users, hidden, seq, last_at,
    read_seq: row.read_seq ?? 0, unread: row.unread ?? 0, mentions: row.mentions ?? 0,
    notify: row.notify ?? (kind === "direct" ? "all" : "mentions"),
  };
}
