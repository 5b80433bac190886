// Where what is typed goes, over a server of make-believe.
import { describe, expect, it } from "vitest";
import { router } from "$lib/face/router.svelte";
import { enter, find, key, text, until } from "./make-believe";

const field = (where = ".main") => find<HTMLTextAreaElement>(`${where} textarea.write`) as HTMLTextAreaElement;
const choose = async (button: string, words: string) => {
  const menu = find(button);
  menu?.focus();
  menu?.click();
  await until(() => find("[role=menu]"));
  [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].find((one) => one.textContent?.includes(words))?.click();
  await until(() => find("[role=dialog]"));
};
const begin = async (thread?: number) => {
  router.go({ is: "room", room: "general", ...(thread && { thread }) }, { replace: true });
  await enter();
};

describe("after a dialog that a menu has opened, one goes on writing", () => {
  it.each([
    ["one's status", ".me", "Set a status"], ["one's profile", ".me", "Your profile"], ["one's notices", ".workspace", "Notices"],
    ["a date in a room", ".head [aria-haspopup=menu]", "Go to a date"], ["another time to send", ".main .later", "For later"],
  ])("%s", async (_, button, words) => {
    await begin();
    await choose(button, words);
    key(find("[role=dialog]") as HTMLElement, "Escape");
    await until(() => !find("[role=dialog]"));
    await until(() => document.activeElement === field());
  });

  it("in the thread, where it was opened there", async () => {
    await begin(1);
    await until(() => field(".pane"));
    await choose(".pane .later", "For later");
    key(find("[role=dialog]") as HTMLElement, "Escape");
    await until(() => document.activeElement === field(".pane"));
  });
});

describe("a letter that is typed on a button", () => {
  it("goes to the field, and Space and Enter to the button", async () => {
    await begin();
    const me = find(".me") as HTMLElement;
    me.focus();
    for (const name of [" ", "Enter"]) key(me, name);
    expect(document.activeElement).toBe(me);
    key(me, "h");
    expect(document.activeElement).toBe(field());
  });

  it("goes to the field of the thread in a thread", async () => {
    await begin(1);
    await until(() => find(".pane .head button"));
    const button = find(".pane .head button") as HTMLElement;
    button.focus();
    key(button, "h");
    expect(document.activeElement).toBe(field(".pane"));
  });

  it("stays in a menu that is open, and a question mark shows the keys", async () => {
    await begin();
    const me = find(".me") as HTMLElement;
    me.focus();
    me.click();
    await until(() => find("[role=menuitem]"));
    find("[role=menuitem]")?.focus();
    key(find("[role=menuitem]") as HTMLElement, "h");
    expect(document.activeElement?.closest("[role=menu]")).toBeTruthy();
    key(find("[role=menuitem]") as HTMLElement, "Escape");
    key(me, "?");
    await until(() => text().includes("Next unread room"));
  });
});
