import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ui } from "./ui.svelte";

const said = () => ui.shown.map(({ text }) => text);

beforeEach(() => {
  vi.useFakeTimers();
  ui.clear();
});
afterEach(() => vi.useRealTimers());

it("takes away what is said in passing, and holds what has to be seen until it is closed", () => {
  ui.toast("Saved");
  ui.toast("Call Bob", undefined, true);
  expect(said()).toEqual(["Call Bob", "Saved"]);
  vi.advanceTimersByTime(3 * 86_400_000);
  expect(said()).toEqual(["Call Bob"]);
  ui.dismiss(ui.shown[0]?.id ?? 0);
  expect(said()).toEqual([]);
});

it("covers no more of the screen, however much has to be seen, and loses none of it", () => {
  for (const text of ["one", "two", "three", "four"]) ui.toast(text, undefined, true);
  expect([said(), ui.hidden]).toEqual([["three", "four"], 2]);
  for (const text of ["a", "b", "c"]) ui.toast(text);
  // What is said in passing takes nothing away of it, and has a place beside it.
  expect([said(), ui.hidden]).toEqual([["three", "four", "c"], 2]);
  for (const text of ["four", "three", "two"]) ui.dismiss(ui.shown.find((one) => one.text === text)?.id ?? 0);
  expect([said(), ui.hidden]).toEqual([["one", "b", "c"], 0]);
});

it("shows at most three of what is said in passing", () => {
  for (const text of ["a", "b", "c", "d"]) ui.toast(text);
  expect(said()).toEqual(["b", "c", "d"]);
});
