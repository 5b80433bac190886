import { beforeEach, expect, it } from "vitest";
import { quick, remember } from "./actions";

beforeEach(() => localStorage.clear());

it("offers the two that were used last, each in its place for as long as it is offered", () => {
  expect(quick()).toEqual(["👍", "✅"]);
  remember("✅");
  expect(quick()).toEqual(["👍", "✅"]);
  remember("🎉");
  expect(quick()).toEqual(["🎉", "✅"]);
  remember("✅");
  expect(quick()).toEqual(["🎉", "✅"]);
});
