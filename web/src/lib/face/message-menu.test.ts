import { expect, it } from "vitest";
import type { Message } from "$lib/api/types";
import { Room } from "$lib/store/room";
import { readBy } from "./message-menu";

it("says in words who has read a message, of those who show it and have not written it", () => {
  const room = new Room("7", "later");
  const mine = { id: 5, user_id: 1 } as Message, hers = { id: 5, user_id: 2 } as Message;
  expect(readBy(room, mine, 1)).toBeUndefined();
  for (const [user, seq] of [[1, 9], [2, 9], [3, 4], [4, 3]] as const) room.receipts.set(user, seq);
  expect([readBy(room, mine, 1, [1, 2, 3, 4]), readBy(room, hers, 1, [1, 2, 3, 4])]).toEqual(["1 of 3 has read it", "Nobody has read it yet"]);
  room.receipts.set(3, 5);
  expect(readBy(room, mine, 1, [1, 2, 3, 4])).toBe("2 of 3 have read it");
  room.receipts.set(4, 5);
  expect([readBy(room, mine, 1, [1, 2, 3, 4]), readBy(room, hers, 1, [1, 2, 3, 4])]).toEqual(["Everyone has read it", "Everyone has read it"]);
  // Some of them may not show it.
  expect(readBy(room, mine, 1, [1, 2, 3, 4, 5])).toBe("Everyone who shows it has read it");
  // Whoever wrote it has left, and 5 is there and does not show it.
  expect(readBy(room, hers, 1, [1, 3, 4, 5])).toBe("Everyone who shows it has read it");
  expect(readBy(room, hers, 1, [1, 3, 4])).toBe("Everyone has read it");
  // Who has read it and left is none of those who are asked for.
  room.receipts.set(3, 4);
  expect(readBy(room, mine, 1, [1, 2, 3])).toBe("1 of 2 has read it");
  room.receipts.set(3, 5);
  expect(readBy(room, mine, 1)).toBe("Everyone who shows it has read it");
});
