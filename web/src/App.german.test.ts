// What is German where the page is, though the server says it in English.
import { expect, it } from "vitest";
import { speak } from "$lib/words";
import { answers, enter, find, message, text, until, write } from "./make-believe";

const german = async () => {
  localStorage.setItem("parlour.language", "de");
  await speak();
  await enter();
};

it("what happened to a room is said in the language of the page, and what the page does not know in the server's words", async () => {
  const by = { kind: "system" as const, user_id: 1, username: "alice" };
  const happened = [
    message(2),
    message(3, { ...by, content: "alice made bob a moderator of the room", event: { type: "role", user_id: 2, role: "moderator" } }),
    message(4, { ...by, content: "alice renamed the room to garden", event: { type: "renamed", name: "garden" } }),
    message(5, { kind: "system", content: "bob joined the room", event: { type: "joined", user_id: 2 } }),
    message(6, { ...by, content: "alice painted the room", event: { type: "painted" } as never }),
    message(7, { ...by, content: "alice added stranger to the room", event: { type: "invited", user_id: 99 } }),
  ];
  answers.unshift([/rooms\/general\/messages/, happened], [/users\/99/, () => [404, {}]]);
  await german();
  const lines = () => [...document.querySelectorAll(".sys")].map((one) => one.textContent ?? "");
  await until(() => lines()[0]?.includes("alice hat bob die Rolle „Moderation“ gegeben"));
  // By usernames: anybody may choose the name of another to be shown by.
  expect(lines()[2]).toContain("bob ist dem Raum beigetreten");
  expect(lines()[1]).toContain("alice hat den Raum in garden umbenannt");
  expect(lines()[3]).toContain("alice painted the room");
  // Who it was is not known here.
  expect(lines()[4]).toContain("alice added stranger to the room");
});

it("what a command does is said in the language of the page, where the page knows it", async () => {
  const command = (name: string) => ({ name, usage: `/${name}`, about: `The server on ${name}.`, example: "", rooms: ["public"] });
  answers.unshift([/api\/commands/, [command("leave"), command("constructor")]]);
  await german();
  const field = find<HTMLTextAreaElement>("textarea.write") as HTMLTextAreaElement;
  field.focus();
  write(field, "/");
  await until(() => find("[role=listbox]"));
  expect([...document.querySelectorAll("[role=option] small")].map((one) => one.textContent)).toEqual([
    "Verlässt diesen Raum, oder einen anderen. Aus #general geht niemand.", "The server on constructor.",
  ]);
  write(field, "/leave");
  await until(() => find(".under")?.textContent?.includes("Verlässt diesen Raum"));
  expect(text()).not.toContain("The server on leave.");
});
