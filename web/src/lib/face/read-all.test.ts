import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Message, Said, Thread } from "$lib/api/types";
import { Room } from "$lib/store/room";
import type { Client } from "./client.svelte";
import { readAll } from "./read-all";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const first = (id: number, last_id: number): Message => ({
  id, seq: id, room: "7", user_id: 2, username: "bob", content: "", created_at: "", replies: { count: 1, last_id, seq: last_id, users: [] },
});
const thread = (id: number, unread: number): Thread => ({ message: first(id, id + 1), last_at: "", read_seq: 0, unread, mentions: 0 });
function begin() {
  const said: Said[] = [], room = new Room("7", "later");
  const client = { say: (frame: Said) => said.push(frame), rooms: [room], store: { rooms: new Map([["7", room]]) }, isOver: false };
  return { said, room, client: client as unknown as Client & { isOver: boolean } };
}

it("marks rooms and threads with something unread, up to what is known of them, and no others", () => {
  const { said, room, client } = begin();
  readAll(client, [thread(3, 0), thread(5, 2), thread(11, 1)]);
  expect(said).toEqual([{ type: "read", room: "7", seq: 6, thread: 5 }, { type: "read", room: "7", seq: 12, thread: 11 }]);
  vi.spyOn(room, "unread", "get").mockReturnValue(4);
  room.top = 12;
  room.threads.take(first(5, 9));
  readAll(client, [thread(5, 2)]);
  expect(said.slice(2)).toEqual([{ type: "read", room: "7", seq: 12 }, { type: "read", room: "7", seq: 9, thread: 5 }]);
});

it("says no more marks at once than may wait on a socket, and none when the login is over", () => {
  const { said, client } = begin();
  readAll(client, Array.from({ length: 50 }, (_, n) => thread(2 * n + 1, 1)));
  expect(said).toHaveLength(20);
  vi.advanceTimersByTime(1_000);
  expect(said).toHaveLength(30);
  Object.assign(client, { isOver: true });
  vi.advanceTimersByTime(10_000);
  expect(said).toHaveLength(30);
});
