// Back on a phone: it closes what lies over the conversation before it leaves it. How the steps are kept is in trail.test.ts.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { router } from "$lib/face/router.svelte";
import { Line, enter, find, key, until, write } from "./make-believe";

const laid: (() => void)[] = [];
const field = () => find<HTMLTextAreaElement>("textarea.write") as HTMLTextAreaElement;

beforeEach(() => {
  laid.length = 0;
  vi.spyOn(router, "over").mockImplementation((close) => {
    laid.push(close);
    return () => void laid.splice(laid.indexOf(close), 1);
  });
});
afterEach(() => vi.restoreAllMocks());

const begin = async () => {
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
};
const back = () => laid.at(-1)?.();

describe("Back where one writes", () => {
  it("closes the list of names, and then the bar for formats, and takes no word away", async () => {
    await begin();
    (find("[aria-label='Formatting']") as HTMLElement).click();
    await until(() => find("[role=toolbar].formats"));
    await until(() => laid.length === 1);
    field().focus();
    write(field(), "ask @bo");
    await until(() => find("[role=listbox]"));
    await until(() => laid.length === 2);
    back();
    await until(() => !find("[role=listbox]"));
    expect([field().value, find(".formats") !== null, laid.length]).toEqual(["ask @bo", true, 1]);
    back();
    await until(() => !find(".formats"));
    expect(laid).toEqual([]);
  });

  it("finds no step of what was closed by writing on", async () => {
    await begin();
    field().focus();
    write(field(), "@bo");
    await until(() => find("[role=listbox]"));
    await until(() => laid.length === 1);
    key(field(), "Tab");
    await until(() => field().value.startsWith("@bob "));
    await until(() => laid.length === 0);
  });
});
