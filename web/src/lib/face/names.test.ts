import { afterEach, expect, it } from "vitest";
import type { Client } from "./client.svelte";
import { choices } from "./choices";
import { bestOf, fullName, isOther } from "./names";
import { People } from "$lib/store/people";
import { Room } from "$lib/store/room";
import { speak } from "$lib/words";

afterEach(() => localStorage.clear());

function client(people: People): Client {
  const members = [{ user_id: 2, username: "eve", display_name: "Eve", role: "member", joined_at: "" }];
  return { me: { id: 1, username: "ann" }, store: { people }, membersOf: async () => members, name: (user: number, username: string) => people.display(user, username) } as unknown as Client;
}
const profile = (display_name: string | null) => ({ user_id: 2, username: "eve", display_name, type: "user" }) as never;

it("tells who someone is whose display name is another's name", () => {
  const people = new People();
  expect(fullName(client(people), 2, "eve")).toBe("eve");
  people.toldProfile(profile("Eve"));
  expect(fullName(client(people), 2, "eve")).toBe("Eve");
  people.toldProfile(profile("annbtkn"));
  expect(fullName(client(people), 2, "eve")).toBe("annbtkn (@eve)");
  expect(isOther("еve", "eve")).toBe(true);
});

it("finds someone by a display name from the moment it is told", async () => {
  const people = new People(), room = new Room("garden", "later");
  const found = async (word: string) => (await choices(client(people), room, { sign: "@", word, from: 0 })).map((one) => one.text);
  expect(await found("zo")).toEqual([]);
  people.toldProfile(profile("Zoe"));
  expect(await found("zo")).toEqual(["@eve "]);
  people.toldProfile(profile(null));
  expect(await found("zo")).toEqual([]);
});

it("finds all in a room by what they are called here, and by what other chats call them", async () => {
  const room = new Room("garden", "later");
  room.about = { ...room.about, kind: "public", name: "garden" };
  const found = async (word: string) => (await choices(client(new People()), room, { sign: "@", word, from: 0 })).filter((one) => one.kind === "all").map((one) => one.text);
  for (const word of ["room", "all", "chan", "channel"]) expect(await found(word), word).toEqual(["@room "]);
  for (const word of ["", "eve", "everyone"]) expect(await found(word), word).toEqual(["@room ", "@here "]);
  expect([await found("here"), await found("zo"), await found("garden")]).toEqual([["@here "], [], []]);
  localStorage.setItem("parlour.language", "de");
  await speak();
  expect([await found("alle"), await found("everyone"), await found("chan")]).toEqual([["@room ", "@here "], ["@room "], ["@room "]]);
  room.about.kind = "direct";
  expect(await found("alle")).toEqual([]);
});

it("means the one whose username was typed whole, else the first that was found", () => {
  expect(bestOf(["bobby", "bob"], "Bob")).toBe(1);
  expect(bestOf(["bobby", "bob"], "bo")).toBe(0);
  expect(bestOf([], "bo")).toBe(-1);
});
