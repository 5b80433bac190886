// What is written and is no plain message, over a server of make-believe.
import { describe, expect, it, vi } from "vitest";
import { fieldsOf } from "$lib/face/later";
import { ui } from "$lib/face/ui.svelte";
import { router } from "$lib/face/router.svelte";
import { Line, answers, asked, enter, find, key, said, text, until, world, write } from "./make-believe";

const field = () => find<HTMLTextAreaElement>("textarea.write") as HTMLTextAreaElement;
const enterKey = () => key(field(), "Enter");
const button = (words: string, where = "") => [...document.querySelectorAll<HTMLButtonElement>(`${where} button`)].find((one) => one.textContent?.trim() === words);

describe("a line that begins with a slash", () => {
  const ran: { text: string; client_id: string }[] = [];
  let answer: () => [number, unknown] = () => [200, { command: "topic", done: "The topic is set." }];
  const list = [
    { name: "topic", usage: "/topic <text>", about: "Sets the topic; `-` for none.", example: "", rooms: ["public"] },
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
    await until(() => field().value === "" && !find("[role=alert]"));
    // The message is there: nothing has to be closed by hand.
    expect(find(".answer")).toBeNull();
    expect(ran[0]?.client_id).toBe(ran[1]?.client_id);
    write(field(), "/shrug well");
    enterKey();
    await vi.waitFor(() => expect(ran).toHaveLength(3));
    expect(ran[2]?.client_id).not.toBe(ran[0]?.client_id);
  });

  it("is sent as it stands there by then, when it was refused", async () => {
    await begin();
    answer = () => [422, { code: "unknown_command", detail: "There is no command /tpoic." }];
    write(field(), "/tpoic tea");
    enterKey();
    await until(() => button("Send it as a message"));
    write(field(), "the topic is tea");
    button("Send it as a message")?.click();
    await stored();
    expect([messages()[0]?.content, field().value]).toEqual(["the topic is tea", ""]);
  });

  it("waits in the field without a connection, and says why", async () => {
    await begin();
    world.isDown = true;
    Line.last?.onclose({ code: 1006 });
    write(field(), "/topic tea");
    enterKey();
    const said = () => text().split("Commands need a connection").length - 1;
    await until(() => find("[role=alert]")?.textContent?.includes("Commands need a connection"));
    expect([field().value, ran, document.querySelectorAll(".msg.waiting").length, said()]).toEqual(["/topic tea", [], 0, 1]);
    // It is said once, and no longer than it is so.
    write(field(), "/topic green tea");
    await until(() => said() === 1 && !find("[role=alert]"));
    enterKey();
    await until(() => find("[role=alert]"));
    world.isDown = false;
    dispatchEvent(new Event("online"));
    await until(() => said() === 0);
    expect(field().value).toBe("/topic green tea");
  });

  it("offers the clock of this device where a time was read in UTC, for want of a zone", async () => {
    vi.spyOn(Intl.DateTimeFormat.prototype, "resolvedOptions").mockReturnValue({ timeZone: "America/New_York" } as Intl.ResolvedDateTimeFormatOptions);
    const set: object[] = [];
    await begin();
    answers.unshift([/users\/me$/, (_: string, body: object) => (set.push(body), [200, { id: 1, username: "alice", created_at: "2026-11-27T10:00:00.000000+00:00" }])]);
    answer = () => [200, { command: "remind", done: "The reminder comes on Friday, 27 November 2026, at 09:00 (UTC). Your profile has no time zone yet." }];
    write(field(), "/remind me tomorrow at 9 to water");
    enterKey();
    await until(() => button("Use the time of New York"));
    button("Use the time of New York")?.click();
    await until(() => text().includes("Times are read by the clocks of New York from now on"));
    expect(set).toEqual([{ time_zone: "America/New_York" }]);
    // Who has told one is asked for none.
    Line.last?.tell({ type: "settings", time_zone: "America/New_York" });
    answer = () => [200, { command: "remind", done: "The reminder comes at nine." }];
    write(field(), "/remind me tomorrow at 9 to sow");
    enterKey();
    await until(() => text().includes("The reminder comes at nine."));
    expect(button("Use the time of New York")).toBeUndefined();
    vi.restoreAllMocks();
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
    expect(find("[role=option] small")?.textContent).toBe("Sets the topic; - for none.");
    key(field(), "Tab");
    await until(() => field().value === "/topic ");
    await until(() => find(".under")?.textContent?.includes("Sets the topic; - for none."));
  });
});

describe("what is to be said later", () => {
  const row = { id: 9, client_id: "c", room: "general", name: "general", content: "good morning", created_at: "2026-11-27T10:00:00.000000+00:00", send_at: new Date(Date.now() + 40 * 86_400_000).toISOString() };
  const asked: { method: string; body: { content?: string; send_at?: string; client_id?: string } }[] = [];
  let answer: () => [number, unknown] = () => [201, row], waiting: object[] = [];
  /** One waits, and its list is opened from the side. */
  const openList = async () => {
    waiting = [row];
    Line.last?.tell({ type: "scheduled", change: "created", scheduled: row });
    await until(() => find(".side-scroll button.row .count"));
    find(".side-scroll button.row .count")?.closest("button")?.click();
    await until(() => button("Take back", "[role=dialog]"));
  };
  const begin = async () => {
    asked.length = 0;
    answers.unshift([/api\/scheduled/, (method: string, body: object) => {
      if (method === "GET") return [200, waiting];
      asked.push({ method, body });
      return method === "DELETE" ? [204, {}] : answer();
    }]);
    await enter();
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    field().focus();
  };
  /** Presses the button in the list, and the one that agrees. */
  const takeBack = async () => {
    button("Take back", "[role=dialog]")?.click();
    await until(() => find("[role=dialog] .btn-danger"));
    find("[role=dialog] .btn-danger")?.click();
  };
  const choose = async (words: string) => {
    key(field(), "Enter", { ctrlKey: true, shiftKey: true });
    await until(() => find("[role=menu]"));
    [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].find((one) => one.textContent?.includes(words))?.click();
  };

  it("is kept by the server, told where it was written, and listed", async () => {
    await begin();
    write(field(), "good morning");
    await choose("In an hour");
    await until(() => text().includes("Goes out on"));
    expect(Date.parse(asked[0]?.body.send_at ?? "") - Date.now()).toBeGreaterThan(3_500_000);
    expect([asked[0]?.body.content, field().value, Line.last?.said.filter((one) => one.type === "message")]).toEqual(["good morning", "", []]);
    await until(() => find(".side-scroll .row .count")?.textContent?.includes("1 message for later"));
    Line.last?.tell({ type: "scheduled", change: "sent", scheduled: row, message: 4 });
    await until(() => !find(".side-scroll button.row .count"));
  });

  it("goes out at any other time that is chosen", async () => {
    await begin();
    answer = () => [201, row];
    write(field(), "good morning");
    await choose("Another time");
    await until(() => find("#later-date"));
    const date = find<HTMLInputElement>("#later-date") as HTMLInputElement, hint = () => find("#later-time .hint")?.textContent ?? "";
    write(date, "2099-11-28");
    await until(() => hint() === "That is too far away: 366 days ahead at most.");
    write(date, "2001-11-28");
    await until(() => hint() === "Choose a time that is still to come.");
    const day = fieldsOf(new Date(Date.now() + 40 * 86_400_000)).date;
    write(date, day);
    await until(() => hint().includes(day.slice(0, 4)));
    find("#later-time")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await until(() => text().includes("Goes out on"));
    expect(asked.map(({ body }) => [body.content, body.send_at?.slice(0, 8)])).toEqual([["good morning", day.slice(0, 8)]]);
    expect(find("[role=dialog]")).toBeNull();
  });

  it("takes the focus from nobody who writes elsewhere by then", async () => {
    await begin();
    let done: (answered: [number, unknown]) => void = () => {};
    answer = () => new Promise((next) => { done = next; }) as never;
    write(field(), "good morning");
    await choose("In an hour");
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const elsewhere = document.body.appendChild(document.createElement("input"));
    elsewhere.focus();
    done([201, row]);
    await until(() => text().includes("Goes out on"));
    expect([document.activeElement === elsewhere, field().value]).toEqual([true, ""]);
  });

  it("is offered again to nobody else", async () => {
    await begin();
    await openList();
    await takeBack();
    await until(() => find(".toasts .btn-link"));
    said({ k: "token", token: "b", until: Date.now() + 1_800_000, who: { id: 2, username: "bob" } });
    await until(() => !find(".toasts .btn-link"));
    expect(find("[role=dialog]")).toBeNull();
  });

  it("stays where it was written when it is refused or there is no connection", async () => {
    await begin();
    answer = () => [409, { code: "too_many_scheduled", detail: "You have 100 messages waiting." }];
    write(field(), "good morning");
    await choose("In an hour");
    await until(() => find("[role=alert]")?.textContent?.includes("You have 100 messages waiting."));
    expect(field().value).toBe("good morning");
    world.isDown = true;
    Line.last?.onclose({ code: 1006 });
    await until(() => find(".me .dot[data-p=offline]"));
    await choose("In an hour");
    await until(() => find("[role=alert]")?.textContent?.includes("needs a connection"));
    expect([field().value, asked.length, document.querySelectorAll(".msg.waiting").length]).toEqual(["good morning", 1, 0]);
    world.isDown = false;
    dispatchEvent(new Event("online"));
    await until(() => !find("[role=alert]"));
  });

  it("says what could not be sent and why, and can be changed and taken back", async () => {
    await begin();
    const failed = { ...row, failed: { code: "muted", detail: "You are muted here." } };
    waiting = [failed];
    Line.last?.tell({ type: "scheduled", change: "failed", scheduled: failed });
    await until(() => text().includes("A message for later could not be sent."));
    button("Show", ".toasts")?.click();
    await until(() => find("[role=dialog] [role=alert]")?.textContent?.includes("Not sent: you are muted here"));
    Line.last?.tell({ type: "scheduled", change: "changed", scheduled: row });
    await until(() => !find("[role=dialog] [role=alert]"));
    button("Change", "[role=dialog]")?.click();
    await until(() => find("#later-words"));
    write(find<HTMLTextAreaElement>("#later-words") as HTMLTextAreaElement, "good evening");
    await until(() => ui.unsaved);
    // It is left by its own buttons alone.
    for (const [name, rest] of [["k", { ctrlKey: true }], ["Escape", {}]] as const) key(find("#later-words") as HTMLElement, name, rest);
    button("Close", "[role=dialog]")?.click();
    await until(() => text().includes("Save your change first, or cancel it."));
    expect(find<HTMLTextAreaElement>("#later-words")?.value).toBe("good evening");
    answer = () => [200, { ...row, content: "good evening" }];
    button("Save", "[role=dialog]")?.click();
    await until(() => find("[role=dialog] .text")?.textContent?.includes("good evening"));
    expect(asked.at(-1)).toEqual({ method: "PATCH", body: { content: "good evening" } });
    await takeBack();
    await until(() => text().includes("Nothing waits to be sent later."));
    expect(asked.at(-1)?.method).toBe("DELETE");
    await until(() => field().value === "good evening");
  });

  it("is taken back by whoever has agreed to it alone, and Escape keeps it", async () => {
    await begin();
    await openList();
    button("Take back", "[role=dialog]")?.click();
    await until(() => find("[role=dialog] .btn-danger"));
    expect(text()).toContain("It will not be sent. Its text comes back to where you write.");
    key(find("[role=dialog]") as HTMLElement, "Escape");
    // The list is there again, and it waits.
    await until(() => button("Change", "[role=dialog]"));
    expect(asked).toEqual([]);
    await takeBack();
    await until(() => text().includes("Nothing waits to be sent later."));
    expect(asked.map(({ method }) => method)).toEqual(["DELETE"]);
  });

  it("is told by the clocks of this device, which are named where they are not those of one's profile", async () => {
    const real = Intl.DateTimeFormat.prototype.resolvedOptions;
    vi.spyOn(Intl.DateTimeFormat.prototype, "resolvedOptions").mockImplementation(function (this: Intl.DateTimeFormat) { return { ...real.call(this), timeZone: "America/New_York" }; });
    await begin();
    Line.last?.tell({ type: "settings", time_zone: "Asia/Kolkata" });
    write(field(), "good morning");
    key(field(), "Enter", { ctrlKey: true, shiftKey: true });
    await until(() => find("[role=menu]")?.textContent?.includes("9:00 AM, New York time"));
    key(find("[role=menu]") as HTMLElement, "Escape");
    await choose("In an hour");
    await until(() => text().includes("New York time."));
    await openList();
    expect(find("[role=dialog] .when")?.textContent).toContain(", New York time");
    vi.restoreAllMocks();
  });

  it("comes back beside what is written by then, when it is taken back", async () => {
    await begin();
    write(field(), "begun");
    await openList();
    await takeBack();
    await until(() => find(".answer")?.textContent?.includes("good morning"));
    expect(field().value).toBe("begun");
    button("Put it here")?.click();
    await until(() => field().value === "begun\ngood morning");
    await until(() => !find(".answer"));
  });
});

describe("what was begun to write", () => {
  it("is not there any more when it was sent on another device, also after one of one's own was", async () => {
    answers.unshift([/draft/, (method: string) => (method === "PUT" ? [200, { content: "begun", updated_at: "2026-11-27T10:00:00.000000+00:00" }] : [200, { content: "" }])]);
    await enter();
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    write(field(), "");
    await until(() => asked.some((one) => /^DELETE .*draft/.test(one)));
    write(field(), "begun");
    await until(() => localStorage.getItem("parlour.draft.1.general")?.match(/begun.*"isTold":true/));
    Line.last?.tell({ type: "room", room: "general", changed: ["draft"], draft: { content: "", updated_at: "2026-11-27T10:00:05.000000+00:00" } });
    await until(() => field().value === "");
  });
});

it("what was begun on another device while there was no connection stands in an empty field as soon as there is one", async () => {
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
  const first = Line.last, field = () => find<HTMLTextAreaElement>("#composer");
  expect(field()?.value).toBe("");
  answers.unshift([/general\/draft/, { content: "from the other device", updated_at: "2099-01-01T00:00:00.000000+00:00" }]);
  first?.onclose({ code: 1006 });
  await until(() => Line.last !== first);
  await until(() => field()?.value === "from the other device");
});
