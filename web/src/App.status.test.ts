// What others say of themselves, and how one says it oneself, over a server of make-believe.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { router } from "$lib/face/router.svelte";
import { ui } from "$lib/face/ui.svelte";
import { timeOf } from "$lib/text/time";
import { Line, answers, bodies, enter, find, key, until } from "./make-believe";

const soon = () => new Date(Date.now() + 60_000).toISOString();
const tell = (status: object) => Line.last?.tell({ type: "presence", users: [{ user_id: 2, username: "bob", ...status }] });

beforeEach(() => router.go({ is: "room", room: "general" }, { replace: true }));

describe("whoever writes to somebody directly", () => {
  const begin = async () => {
    answers.unshift([/rooms\/7\/messages/, []]);
    await enter();
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    router.go({ is: "room", room: "7" }, { replace: true });
    await until(() => find(".head .title")?.textContent?.includes("Bob B."));
  };
  const head = () => find(".head .topic")?.textContent ?? "";
  const above = () => find(".composer .quoting")?.textContent ?? "";

  it("sees what they say of themselves, and until when", async () => {
    await begin();
    tell({ state: "away", text: "At lunch", emoji: "🥪" });
    await until(() => head() === "🥪 At lunch");
    const end = soon();
    tell({ state: "away", text: "At lunch", emoji: "🥪", until: end });
    await until(() => head() === `🥪 At lunch · until ${timeOf(end)}`);
    expect(above()).toBe("");
    // What is over by now has no end that is still to come.
    tell({ state: "away", text: "At lunch", until: new Date(Date.now() - 60_000).toISOString() });
    await until(() => head() === "At lunch");
    tell({ state: "online" });
    await until(() => head() === "");
  });

  it("is told where one writes that they do not want to be disturbed, and no longer than they do not", async () => {
    await begin();
    const end = soon();
    tell({ state: "dnd", until: end });
    await until(() => above() === `Bob B. does not want to be disturbed until ${timeOf(end)}.`);
    tell({ state: "dnd" });
    await until(() => above() === "Bob B. does not want to be disturbed.");
    tell({ state: "online" });
    await until(() => above() === "");
    tell({ state: "dnd" });
    await until(() => above() !== "");
    find("a[href='/r/general']")?.click();
    await until(() => find(".head .title")?.textContent?.includes("general"));
    expect(above()).toBe("");
  });
});

it("a profile says in words how somebody is, and until when", async () => {
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
  const end = soon();
  tell({ state: "dnd", until: end });
  ui.card = { user: 2, username: "bob", x: 0, y: 0 };
  await until(() => find(".card p.small")?.textContent === `Do not disturb until ${timeOf(end)}`);
});

it("each state has one name, and says what it means where it is chosen", async () => {
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
  key(window, "y", { ctrlKey: true, shiftKey: true });
  await until(() => find("#status-note"));
  const notes = new Set<string>();
  for (const label of document.querySelectorAll<HTMLElement>(".states label")) {
    const radio = label.querySelector("input") as HTMLInputElement;
    radio.click();
    await until(() => !notes.has(find("#status-note")?.textContent ?? ""));
    notes.add(find("#status-note")?.textContent ?? "");
    Line.last?.tell({ type: "presence", users: [{ user_id: 1, username: "alice", state: radio.value }] });
    await until(() => find(".me .dot .vh")?.textContent === label.textContent?.trim());
  }
  expect([...notes].map((one) => one.split(/[,.]/)[0])).toEqual(["Others see that you are here", "Others see you as away", "No sounds and no notices", "Others see you as offline"]);
});

it.each([
  ["at the end of today", "2026-11-27T15:00", "2026-11-27T23:59:59.999"], ["at the end of this week", "2026-11-27T15:00", "2026-11-29T23:59:59.999"],
  ["at the end of this week", "2026-11-29T15:00", "2026-11-29T23:59:59.999"], ["at the end of this week", "2026-11-30T00:01", "2026-12-06T23:59:59.999"],
])("a status that ends %s does so by the clocks of this device", async (words, now, end) => {
  await enter();
  key(window, "y", { ctrlKey: true, shiftKey: true });
  await until(() => find("#status-until"));
  const [ends, field] = [find("#status-until") as HTMLSelectElement, find(".emoji-in input") as HTMLInputElement];
  // What a browser finds by `:checked`.
  const chosen = [...ends.options].find((one) => one.textContent === words) as HTMLOptionElement;
  vi.spyOn(ends, "querySelector").mockReturnValue(chosen);
  ends.dispatchEvent(new Event("change", { bubbles: true }));
  field.value = "Away";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  vi.setSystemTime(new Date(now));
  find("#status")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  vi.useRealTimers();
  await until(() => bodies.some((one) => one.includes("me/status")));
  expect(bodies.find((one) => one.includes("me/status"))).toContain(`"until":"${new Date(end).toISOString()}"`);
});
