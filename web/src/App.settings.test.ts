// What one sets for oneself, over a server of make-believe.
import { describe, expect, it, vi } from "vitest";
import { router } from "$lib/face/router.svelte";
import { Line, answers, enter, find, key, message, said, text, until, write } from "./make-believe";

describe("notices", () => {
  const shown: string[] = [];
  class Notice {
    static permission = "granted";
    static requestPermission = async () => "granted";
    onclick: unknown;
    constructor(title: string, { tag }: { tag: string }) {
      shown.push(`${title}: ${tag}`);
    }
    close() {}
  }
  const come = (id: number, rest: object = {}) => {
    const { created_at: timestamp, ...said } = message(id, { mentions: [{ user_id: 1, from: 0, to: 1 }], ...rest });
    Line.last?.tell({ ...said, type: "message", timestamp });
  };
  const settings = (quiet_hours?: string) => Line.last?.tell({ type: "settings", receipts: true, ...(quiet_hours && { quiet_hours }) });

  it("keep quiet as soon as another device has set quiet hours, and speak again when it has ended them", async () => {
    vi.stubGlobal("Notification", Notice);
    vi.spyOn(document, "hasFocus").mockReturnValue(false);
    await enter();
    localStorage.setItem("parlour.notices", "on");
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    await until(() => find("article[data-id='3']"));
    // It is loaded when the first view is drawn, and what comes before that is judged when it is there.
    await import("$lib/face/notices");
    settings("00:00-23:59");
    come(4, { content: "in the quiet" });
    await until(() => text().includes("in the quiet"));
    settings();
    come(5, { content: "after it" });
    await until(() => shown.length > 0);
    expect(shown).toEqual([expect.stringMatching(/#general: general 5$/)]);
    come(6, { content: "read elsewhere" });
    Line.last?.tell({ type: "read", room: "general", user_id: 1, seq: 6, unread: 0, mentions: 0, at: 6 });
    come(7, { content: "taken back" });
    Line.last?.tell({ ...message(7, { seq: 8, content: "", deleted_at: "2026-11-27T10:09:00.000000+00:00" }), type: "message_changed" });
    come(9, { content: "and one more" });
    await until(() => shown.length > 1);
    expect(shown.slice(1)).toEqual([expect.stringContaining("general 9")]);
    vi.restoreAllMocks();
  });

  it("tell nothing more when the login is over", async () => {
    vi.stubGlobal("Notification", Notice);
    vi.spyOn(document, "hasFocus").mockReturnValue(false);
    await enter();
    localStorage.setItem("parlour.notices", "on");
    await until(() => find("article[data-id='3']"));
    shown.length = 0;
    const later = vi.spyOn(globalThis, "setTimeout");
    come(4, { content: "for alice alone" });
    const waiting = () => later.mock.calls.find(([, wait]) => wait === 1_000)?.[0];
    await until(waiting);
    const show = waiting();
    later.mockRestore();
    said({ k: "ended", why: "here" });
    await until(() => find("form"));
    (show as () => void)();
    expect(shown).toEqual([]);
    vi.restoreAllMocks();
  });

  it("keep the quiet hours that came when their dialog was open already", async () => {
    const asked: object[] = [];
    answers.unshift([/users\/me$/, (_: string, body: object) => (asked.push(body), [200, { id: 1, username: "alice", created_at: "2026-11-27T10:00:00.000000+00:00" }])]);
    await enter();
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    find<HTMLButtonElement>(".me")?.click();
    await until(() => find("[role=menu]"));
    [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].find((one) => one.textContent?.includes("Notices"))?.click();
    await until(() => find("#notices"));
    asked.length = 0;
    settings("21:00-06:00");
    await until(() => find<HTMLInputElement>("#quiet-from")?.value === "21:00");
    find("#notices")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await until(() => asked.length > 0);
    expect(asked).toEqual([{}]);
  });

  it("are set with quiet hours for all devices, by the clocks here where no zone was said", async () => {
    const asked: object[] = [];
    answers.unshift([/users\/me$/, (_: string, body: object) => (asked.push(body), [200, { id: 1, username: "alice", created_at: "2026-11-27T10:00:00.000000+00:00" }])]);
    await enter();
    find<HTMLButtonElement>(".me")?.click();
    await until(() => find("[role=menu]"));
    [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].find((one) => one.textContent?.includes("Notices"))?.click();
    await until(() => find("#notices"));
    asked.length = 0;
    [...document.querySelectorAll<HTMLElement>("#notices label")].find((one) => one.textContent?.includes("Be quiet"))?.querySelector("input")?.click();
    await until(() => find("#quiet-from"));
    find("#notices")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await until(() => asked.length > 0);
    expect(asked).toEqual([{ quiet_hours: "22:00-07:00", time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone }]);
    await until(() => !find("[role=dialog]"));
    key(window, "Escape");
    answers.shift();
  });
});

describe("a date in a room", () => {
  it("leads to the first message of that day, by D, and says so where there is none", async () => {
    const days = [12, 14, 18].map((day, n) => message(n + 1, { created_at: new Date(2026, 10, day, 12).toISOString() }));
    answers.unshift([/messages\?after=(\d)&limit=1$/, (_m: string, _b: unknown, address: string) => [200, days.filter((one) => one.id > Number(/after=(\d)/.exec(address)?.[1])).slice(0, 1)]]);
    answers.unshift([/messages\?around=/, days]);
    await enter();
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    key(find(".timeline") ?? window, "d");
    await until(() => find("#date-day"));
    const go = (date: string) => {
      const field = find<HTMLInputElement>("#date-day");
      if (field) write(field, date);
      find("#date")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    };
    go("2026-11-17");
    await until(() => location.pathname === "/r/general/3");
    await until(() => text().includes("Nothing was written on that day. This is what came next"));
    key(find(".timeline") ?? window, "d");
    await until(() => find("#date-day"));
    go("2026-11-14");
    await until(() => location.pathname === "/r/general/2");
    answers.splice(0, 2);
  });
});

describe("a message to a room that one is not in any more", () => {
  it("can be copied and not retried, until one is in the room again", async () => {
    await enter();
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    const field = find<HTMLTextAreaElement>("textarea.write");
    const buttons = () => [...document.querySelectorAll(".msg.failed .state button")].map((one) => one.textContent);
    const seven = { room: "7", kind: "direct", users: [{ user_id: 1, username: "alice" }, { user_id: 2, username: "bob" }], seq: 1, read_seq: 1, unread: 0, mentions: 0 };
    history.pushState(null, "", "/r/7");
    window.dispatchEvent(new PopStateEvent("popstate"));
    await until(() => find<HTMLTextAreaElement>("textarea.write") !== field);
    const there = find<HTMLTextAreaElement>("textarea.write");
    if (there) write(there, "too late"), key(there, "Enter");
    await until(() => Line.last?.said.some((one) => one.content === "too late"));
    Line.last?.tell({ type: "room", room: "7", gone: true, seq: 2 });
    await until(() => text().includes("Not sent: you are not in this room any more"));
    expect(buttons()).toEqual(["Copy text", "Delete"]);
    Line.last?.tell({ type: "room", ...seven, seq: 3 });
    await until(() => text().includes("Not sent: you were not in this room then"));
    expect(buttons()).toEqual(["Retry", "Edit", "Delete"]);
    [...document.querySelectorAll<HTMLButtonElement>(".msg.failed .state button")].find((one) => one.textContent === "Delete")?.click();
    await until(() => !find(".msg.failed"));
  });
});

it("a menu marks what is chosen, of themes and of what a room tells, also for who does not see it", async () => {
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  const marked = async (button: string) => {
    find(button)?.click();
    await until(() => find("[role=menu]"));
    const found = [...document.querySelectorAll("[role=menuitem][aria-current]")].map((one) => one.textContent?.trim());
    key(find("[role=menuitem]") as HTMLElement, "Escape");
    await until(() => !find("[role=menu]"));
    return found;
  };
  expect([await marked(".me"), await marked(".head [aria-haspopup=menu]")]).toEqual([["Theme: As the system"], ["Only what mentions you"]]);
  localStorage.setItem("parlour.theme", "dark");
  expect(await marked(".me")).toEqual(["Theme: Dark"]);
});
