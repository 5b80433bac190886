// What is written and is no plain message, over a server of make-believe.
import { describe, expect, it, vi } from "vitest";
import { Line, answers, enter, find, key, text, until, write } from "./make-believe";

const field = () => find<HTMLTextAreaElement>("textarea.write") as HTMLTextAreaElement;
const enterKey = () => key(field(), "Enter");
const button = (words: string, where = "") => [...document.querySelectorAll<HTMLButtonElement>(`${where} button`)].find((one) => one.textContent?.trim() === words);

describe("a line that begins with a slash", () => {
  const ran: { text: string; client_id: string }[] = [];
  let answer: () => [number, unknown] = () => [200, { command: "topic", done: "The topic is set." }];
  const list = [
    { name: "topic", usage: "/topic <text>", about: "Sets the topic.", example: "", rooms: ["public"] },
    { name: "shrug", usage: "/shrug [text]", about: "Shrugs.", example: "", rooms: ["public"] },
    { name: "elsewhere", usage: "/elsewhere", about: "Not here.", example: "", rooms: ["direct"] },
  ];
  const begin = async () => {
    ran.length = 0;
    answers.unshift([/api\/commands/, list], [/general\/commands/, (_: string, body: { text: string; client_id: string }) => (ran.push(body), answer())]);
    await enter();
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    field().focus();
  };
  const messages = () => Line.last?.said.filter((one) => one.type === "message") ?? [];

  // What no one has answered would wait in the tests that follow.
  const stored = async () => {
    await until(() => messages().length > 0);
    Line.last?.tell({ type: "ack", ref: messages()[0]?.ref, room: "general", id: 4, seq: 4, timestamp: "2026-11-27T10:09:00.000000+00:00", duplicate: false });
    await until(() => !find(".msg.waiting"));
  };

  it("is carried out by the server, is no message, and its answer stands where it was written", async () => {
    await begin();
    write(field(), "/topic tea");
    enterKey();
    await until(() => text().includes("The topic is set."));
    expect(ran).toMatchObject([{ text: "/topic tea" }]);
    expect([field().value, messages(), document.querySelectorAll(".msg.waiting").length]).toEqual(["", [], 0]);
  });

  it("stays in the field when it is refused, and can be sent as a message where there is no such command", async () => {
    await begin();
    answer = () => [422, { code: "unknown_command", detail: "There is no command /tpoic." }];
    write(field(), "/tpoic tea");
    enterKey();
    await until(() => find("[role=alert]")?.textContent?.includes("There is no command /tpoic."));
    expect(field().value).toBe("/tpoic tea");
    button("Send it as a message")?.click();
    await stored();
    expect(messages()).toMatchObject([{ content: "/tpoic tea" }]);
    expect(field().value).toBe("");
  });

  it("is asked for under the same name again when its answer was lost", async () => {
    await begin();
    answer = () => [500, {}];
    write(field(), "/shrug well");
    enterKey();
    await until(() => find("[role=alert]"));
    answer = () => [200, { command: "shrug", done: "Said." }];
    enterKey();
    await until(() => text().includes("Said."));
    expect(ran[0]?.client_id).toBe(ran[1]?.client_id);
    write(field(), "/shrug well");
    enterKey();
    await vi.waitFor(() => expect(ran).toHaveLength(3));
    expect(ran[2]?.client_id).not.toBe(ran[0]?.client_id);
  });

  it("waits in the field without a connection, and says why", async () => {
    await begin();
    Line.last?.onclose({ code: 1006 });
    write(field(), "/topic tea");
    enterKey();
    await until(() => text().includes("Commands need a connection"));
    expect([field().value, ran, document.querySelectorAll(".msg.waiting").length]).toEqual(["/topic tea", [], 0]);
  });

  it("is said when it begins with two", async () => {
    await begin();
    write(field(), "//topic is a command");
    enterKey();
    await stored();
    expect([messages()[0]?.content, ran]).toEqual(["/topic is a command", []]);
  });

  it("is completed, with what each command takes", async () => {
    await begin();
    write(field(), "/");
    await until(() => find("[role=listbox]"));
    expect([...document.querySelectorAll("[role=option] bdi")].map((one) => one.textContent)).toEqual(["/topic <text>", "/shrug [text]"]);
    key(field(), "Tab");
    await until(() => field().value === "/topic ");
    await until(() => find(".under")?.textContent?.includes("Sets the topic."));
  });
});
