// Choosing people, in the dialog that writes to some.
import { tick } from "svelte";
import { describe, expect, it } from "vitest";
import { answers, asked, enter, find, key, until, write } from "./make-believe";
import { ui } from "$lib/face/ui.svelte";

const people = ["bobby", "bob", "eve"].map((username, index) => ({ id: index + 2, username, created_at: "2026-11-27T10:00:00.000000+00:00" }));
const field = () => find<HTMLInputElement>(".people-field input") as HTMLInputElement;
const chosen = () => [...document.querySelectorAll(".chosen bdi")].map((one) => one.textContent);
const lit = () => find('.offered [aria-selected="true"] small')?.textContent;

async function open() {
  answers.unshift([/users\?/, async (_: string, __: unknown, address: string) => [200, people.filter((one) => one.username.includes(new URL(address, location.href).searchParams.get("q") ?? ""))]]);
  await enter();
  ui.open({ is: "direct" });
  await until(() => document.querySelectorAll(".offered .option").length === 3);
}

describe("Enter", () => {
  it("adds whoever is highlighted, which is at first whose username was typed whole", async () => {
    await open();
    write(field(), "bob");
    await until(() => lit() === "@bob");
    key(field(), "ArrowUp");
    await until(() => lit() === "@bobby");
    key(field(), "Enter");
    await until(() => chosen().length === 1);
    expect(chosen()).toEqual(["bobby"]);
    write(field(), "bob");
    await until(() => lit() === "@bob");
    key(field(), "Enter");
    await until(() => chosen().length === 2);
    expect(chosen()).toEqual(["bobby", "bob"]);
  });

  it("writes to those who are chosen when nothing is typed, wherever the pointer lies", async () => {
    await open();
    write(field(), "eve");
    await until(() => lit() === "@eve");
    key(field(), "Enter");
    await until(() => chosen().length === 1 && document.querySelectorAll(".offered .option").length === 2);
    find(".offered .option")?.dispatchEvent(new PointerEvent("pointermove", { bubbles: true }));
    await tick();
    expect(lit()).toBeUndefined();
    key(field(), "Enter");
    await until(() => asked.includes("POST /api/direct"));
    expect(chosen()).toEqual(["eve"]);
  });
});
