import { beforeEach, expect, it } from "vitest";
import { nextArea } from "./areas";

beforeEach(() => {
  document.body.innerHTML = `
    <nav class="sidebar"><button id="menu"></button><a href="/" aria-current="page" id="room"></a></nav>
    <header data-area="header"><button class="hidden"></button><button id="title"></button></header>
    <div data-area="timeline" tabindex="0" id="messages"></div>
    <div data-area="composer"><textarea id="field"></textarea></div>
    <aside data-area="pane"><button class="hidden"></button><div data-area="composer"><textarea id="reply"></textarea></div></aside>`;
});
const isSeen = (element: HTMLElement) => !element.closest(".hidden");
const go = (by: 1 | -1) => (nextArea(by, isSeen), document.activeElement?.id);

it("goes round all regions both ways, past buttons that are not there", () => {
  document.getElementById("field")?.focus();
  expect([1, 1, 1, 1, 1].map(() => go(1))).toEqual(["reply", "room", "title", "messages", "field"]);
  expect([1, 1, 1, 1, 1].map(() => go(-1))).toEqual(["messages", "title", "room", "reply", "field"]);
});

it("goes on from anywhere", () => {
  document.getElementById("menu")?.focus();
  expect(go(1)).toBe("title");
  (document.activeElement as HTMLElement).blur();
  expect(go(1)).toBe("room");
  (document.activeElement as HTMLElement).blur();
  expect(go(-1)).toBe("reply");
});
