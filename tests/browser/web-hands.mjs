// What the steps do to the web client, and what can be seen of it: by real keys and a real pointer, as in hands.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AXE, empty, press, tabTo, type } from "./hands.mjs";

export const composer = (page, room = "#general") => page.getByLabel(`Message to ${room}`, { exact: true });
// Whoever is connected is seen so at the foot of the list.
export const connected = (page) => page.locator(".me .dot:not([data-p=offline])").waitFor({ state: "attached" });
export const away = (page) => page.locator(".me .dot[data-p=offline]").waitFor({ state: "attached" });
// Who has waited may ask for the next try; it may come by itself before that.
export async function tryNow(page) {
  await page.locator(".strip").getByRole("button", { name: "Try now" }).click({ timeout: 3_000 }).catch(() => {});
  await connected(page);
}
export const texts = (page, where = ".timeline-wrap") => page.locator(`${where} .msg .text`).evaluateAll((all) => all.map((one) => one.innerText.trim()));
export const ids = (page) => page.locator(".timeline-wrap [data-id]").evaluateAll((all) => all.map((one) => Number(one.dataset.id)));
export const message = (page, text, where = ".timeline-wrap") => page.locator(`${where} article`, { hasText: text });
export const shows = (page, text, where) => page.locator(`${where ?? ".timeline-wrap"} article[data-id] .text`).getByText(text, { exact: true }).first().waitFor();
export const list = (page) => page.getByRole("navigation", { name: "Rooms and people" });
export const room = (page, name) => list(page).getByRole("link", { name });
export const dialog = (page, name) => page.getByRole("dialog", { name });

// At the door, without a pointer: from the name, where the page puts the cursor, to Enter.
export async function enter(page, name, password, { isNew = false } = {}) {
  const username = page.getByLabel("Name", { exact: true });
  await username.waitFor();
  const [here, there] = isNew ? ["Register", "Sign in"] : ["Sign in", "Register"];
  const turn = page.locator(".after").getByRole("button");
  if ((await turn.textContent()).trim() !== there) {
    await tabTo(page, turn);
    await press(page, "Enter");
    await page.getByRole("button", { name: here }).first().waitFor();
  }
  await tabTo(page, username, "Shift+Tab");
  await empty(page);
  await type(page, name);
  await press(page, "Tab");
  await empty(page);
  await type(page, password);
  await press(page, "Enter");
}

export async function write(page, text, label) {
  const field = label ? composer(page, label) : page.locator(".main textarea.write").last();
  await field.click();
  await type(page, text);
  await press(page, "Enter");
}

export async function say(page, text, label) {
  await write(page, text, label);
  await shows(page, text.replace(/\n/g, " "), undefined).catch(() => {});
}

// A menu of one's own, at the foot of the list.
export async function signOut(page) {
  const mine = page.locator(".me");
  if (!(await mine.isVisible())) await page.getByRole("button", { name: /^Rooms/ }).first().click();
  await mine.click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
}

// Past the page, so that many things come at once.
export async function login(base, username, password) {
  const answer = await fetch(`${base}/api/auth/login`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ username, password }),
  });
  assert.equal(answer.status, 200);
  const { access_token: token } = await answer.json();
  return async (method, path, body) => {
    const response = await fetch(`${base}/api${path}`, {
      method, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body),
    });
    const text = await response.text();
    assert(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
}

// Goes up to the beginning, waiting at each page that is read until it has come, and says how far texts on the screen have moved then.
export async function olderCome(page, heading) {
  const isPage = /\/messages\?.*before=/, begin = page.getByRole("heading", { name: heading }), loading = page.locator(".timeline [aria-busy]");
  let [pages, moved] = [0, 0];
  await page.route(isPage, async (route) => {
    await new Promise((next) => setTimeout(next, 700));
    await route.continue();
  });
  await page.locator(".timeline").hover();
  for (let turn = 0; turn < 60 && !(await begin.count()); turn++) {
    await page.mouse.wheel(0, -20_000);
    await page.waitForTimeout(250);
    if (!(await loading.count())) continue;
    await page.evaluate(() => {
      const screen = document.querySelector(".timeline").getBoundingClientRect();
      const held = [...document.querySelectorAll(".timeline .text")].map((one) => [one, one.getBoundingClientRect().bottom]);
      const seen = held.filter(([, at]) => at > screen.top && at < screen.bottom);
      window.moved = seen.length > 0 ? 0 : NaN;
      const look = () => {
        for (const [one, at] of seen) window.moved = Math.max(window.moved, one.isConnected ? Math.abs(one.getBoundingClientRect().bottom - at) : 9_999);
        window.looking = requestAnimationFrame(look);
      };
      look();
    });
    await loading.waitFor({ state: "detached" });
    await page.waitForTimeout(250);
    moved = Math.max(moved, await page.evaluate(() => { cancelAnimationFrame(window.looking); return window.moved; }));
    pages += 1;
  }
  await page.unroute(isPage);
  await begin.waitFor({ state: "attached" });
  return { pages, moved };
}

export const once = (all, text) => assert.equal(all.filter((one) => one === text).length, 1, `${text} is there ${all.filter((one) => one === text).length} times`);
export function inOrder(all, wanted) {
  const places = wanted.map((one) => all.indexOf(one));
  assert(places.every((place) => place >= 0), `missing: ${wanted.filter((_, n) => places[n] < 0)}`);
  assert.deepEqual(places, places.toSorted((a, b) => a - b), "out of order");
  for (const one of wanted) once(all, one);
}

// What axe finds wrong: what is serious, and the rest for those who read along.
export async function faultsOf(page, where) {
  await page.evaluate(AXE);
  // What is still fading in is fainter than it will be.
  await page.evaluate(() => {
    const ends = (one) => one.playState === "running" && one.effect?.getComputedTiming().iterations !== Infinity;
    return Promise.all(document.getAnimations().filter(ends).map((one) => one.finished.catch(() => {})));
  });
  const { violations } = await page.evaluate(() => window.axe.run());
  const said = ({ id, impact, help, nodes }) => `${impact}: ${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ").slice(0, 300)}`;
  const isSerious = ({ impact }) => impact === "serious" || impact === "critical";
  for (const one of violations.filter((found) => !isSerious(found))) console.log(`  (${where}: ${said(one)})`);
  return violations.filter(isSerious).map(said);
}

// Serves the client from a folder in place of the server's own: while one works at it, the server need not be built anew.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; manifest-src 'self'; "
  + "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html dompurify parlour";
export async function fromFolder(context, folder) {
  if (!folder) return;
  const type = { js: "text/javascript", css: "text/css", html: "text/html; charset=utf-8" };
  await context.route(/\/assets\/[^/]+$/, (route) => {
    const path = join(folder, new URL(route.request().url()).pathname);
    return route.fulfill({ body: readFileSync(path), contentType: type[path.split(".").at(-1)] });
  });
  await context.route(({ pathname }) => /^\/($|(r|threads|saved)(\/|$))/.test(pathname), (route) =>
    route.fulfill({ body: readFileSync(join(folder, "index.html")), contentType: type.html, headers: { "content-security-policy": POLICY } }));
}
