import { expect, it } from "vitest";
import type { Client } from "./client.svelte";
import { choices } from "./choices";
import { bestOf, fullName, isOther } from "./names";
import { People } from "$lib/store/people";
import { Room } from "$lib/store/room";

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

it("means the one whose username was typed whole, else the first that was found", () => {
  expect(bestOf(["bobby", "bob"], "Bob")).toBe(1);
  expect(bestOf(["bobby", "bob"], "bo")).toBe(0);
  expect(bestOf([], "bo")).toBe(-1);
});
