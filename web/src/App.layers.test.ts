// What lies over the page, when it cannot be loaded.
import { expect, it, vi } from "vitest";
import { enter, find, text, until } from "./make-believe";
import { ui } from "$lib/face/ui.svelte";

vi.mock("./components/Card.svelte", () => { throw new Error("no network"); });
vi.mock("./components/Keys.svelte", () => { throw new Error("no network"); });

it("says so of somebody's card, and holds nothing up", async () => {
  await enter();
  ui.card = { user: 2, username: "bob", x: 0, y: 0 };
  await until(() => text().includes("The server cannot be reached"));
  expect([ui.card, find(".card")]).toEqual([undefined, null]);
});

it("says so of a dialog, and holds nothing up", async () => {
  await enter();
  ui.open({ is: "keys" });
  await until(() => text().includes("The server cannot be reached"));
  expect([ui.dialog, find("[role=dialog]")]).toEqual([undefined, null]);
});
