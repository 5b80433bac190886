import { expect, it } from "vitest";
import type { Message } from "$lib/api/types";
import { Room } from "$lib/store/room";
import type { Client } from "./client.svelte";
import { de } from "$lib/words/de";
import { readBy } from "./message-menu";

it("says by name who has read a message, of those who show it and have not written it", () => {
  const names = ["", "me", "Anna", "Bob", "Cleo", "Dan", "Eve", "Finn"];
  const asked: number[] = [];
  const client = { me: { id: 1 }, name: (user: number) => names[user] ?? "", learnPeople: (users: number[]) => asked.push(...users) } as unknown as Client;
  const room = new Room("7", "later");
  const mine = { id: 5, user_id: 1 } as Message, hers = { id: 5, user_id: 2 } as Message;
  const read = (message: Message, members?: number[]) => readBy(client, room, message, members);
  expect(read(mine)).toBeUndefined();
  for (const [user, seq] of [[1, 9], [2, 9], [3, 4], [4, 3]] as const) room.receipts.set(user, seq);
  expect([read(mine, [1, 2, 3, 4]), read(hers, [1, 2, 3, 4])]).toEqual(["Read by Anna (1 of 3)", "Nobody has read it yet"]);
  room.receipts.set(3, 5);
  expect(read(mine, [1, 2, 3, 4])).toBe("Read by Anna and Bob (2 of 3)");
  room.receipts.set(4, 5);
  expect([read(mine, [1, 2, 3, 4]), read(hers, [1, 2, 3, 4])]).toEqual(["Read by everyone: Anna, Bob, and Cleo", "Read by everyone: Bob and Cleo"]);
  // Some of them may not show it.
  expect(read(mine, [1, 2, 3, 4, 5])).toBe("Read by everyone who lets it be seen: Anna, Bob, and Cleo");
  // Whoever wrote it has left, and 5 is there and does not show it.
  expect(read(hers, [1, 3, 4, 5])).toBe("Read by everyone who lets it be seen: Bob and Cleo");
  // Who has read it and left is none of those who are asked for.
  room.receipts.set(3, 4);
  expect(read(mine, [1, 2, 3])).toBe("Read by Anna (1 of 2)");
  // Many are counted, and so are those whose name is not known here: it is asked for.
  for (const user of [3, 5, 6, 7]) room.receipts.set(user, 9);
  expect(read(mine)).toBe("Read by everyone who lets it be seen: Anna, Bob, Cleo, and 3 others");
  for (const user of [5, 6, 7]) room.receipts.delete(user);
  room.receipts.set(99, 9);
  expect(read(mine)).toBe("Read by everyone who lets it be seen: Anna, Bob, Cleo, and 1 other");
  expect(asked).toContain(99);
  for (const user of [2, 3, 4]) room.receipts.delete(user);
  expect(read(mine)).toBe("Read by everyone who lets it be seen");
});

it("says it in German, too", () => {
  const { readBy } = de.message;
  expect(readBy(["Anna", "Bob"], 2, 3, true)).toMatch(/^Gelesen von Anna (und|and) Bob \(2 von 3\)$/);
  expect(readBy(["Anna", "Bob", "Cleo"], 4, 5, true)).toContain("1 anderen Person (4 von 5)");
  expect(readBy(["Anna", "Bob", "Cleo"], 6, 6, true)).toMatch(/^Gelesen von allen: Anna, .*3 anderen$/);
  expect(readBy([], 2, 3, true)).toBe("Gelesen von 2 Personen (2 von 3)");
});
