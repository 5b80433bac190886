// Jumping to rooms and people, over a server of make-believe.
import { expect, it } from "vitest";
import { answers, enter, find, key, until, write } from "./make-believe";

const offer = () => [...document.querySelectorAll<HTMLElement>("[role=option]")].find((one) => one.textContent?.includes("Make the room"));
const begin = async (words: string) => {
  await enter();
  key(window, "k", { ctrlKey: true });
  await until(() => find("[role=combobox]"));
  write(find<HTMLInputElement>("[role=combobox]") as HTMLInputElement, words);
};

it("offers to make a room only when the search has been answered, and makes it by that name", async () => {
  let answer: (rooms: object[]) => void = () => {};
  let isAsked = false;
  answers.unshift([/rooms\/directory/, () => new Promise((done) => { isAsked = true; answer = (rooms) => done([200, rooms]); })]);
  await begin("Garden tools");
  await until(() => isAsked);
  expect(offer()).toBeUndefined();
  answer([]);
  await until(() => offer()?.textContent?.includes("Make the room #garden-tools"));
  offer()?.click();
  await until(() => find<HTMLInputElement>("#room-name")?.value === "garden-tools");
});

it.each([
  ["one that is in the list of all", "tools", [{ room: "9", name: "tools", kind: "public", members: 2 }]],
  ["one that one is in", "general", []],
  ["what no room can be called", "2026", []],
  ["a person", "toolsmith", []],
])("offers none for the name of %s", async (_, words, rooms) => {
  const wanted: string[] = [];
  answers.unshift([/rooms\/directory/, () => (wanted.push(words), [200, rooms])], [/users\?/, () => (wanted.push("people"), [200, [{ id: 7, username: "toolsmith" }]])]);
  await begin(words);
  // What the same answer brings is shown with it.
  await until(() => document.querySelector("#matches")?.textContent?.includes("toolsmith"));
  expect(wanted).toContain(words);
  expect(offer()).toBeUndefined();
});

it("offers none where nobody has answered", async () => {
  let isAsked = false;
  answers.unshift([/rooms\/directory/, () => (isAsked = true, [503, { code: "busy" }])], [/users\?/, [{ id: 7, username: "toolsmith" }]]);
  await begin("tools");
  await until(() => document.querySelector("#matches")?.textContent?.includes("toolsmith"));
  expect([isAsked, offer()]).toEqual([true, undefined]);
});

it("takes what is typed while it is still being loaded", async () => {
  await enter();
  key(window, "k", { ctrlKey: true });
  for (const one of "bbeans") key(document.activeElement ?? window, one);
  key(document.activeElement ?? window, "Enter");
  await until(() => find<HTMLInputElement>("[role=combobox]"));
  await until(() => find<HTMLInputElement>("[role=combobox]")?.value === "bbeans");
});
