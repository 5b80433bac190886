// A person's hands and eyes: everything that the steps do to a page goes through real keys and a real pointer, and what
// they know of it is what can be seen. A test that sets a value where a person types shows nothing.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const PATIENCE = 30_000;
export const PASSWORD = "correct horse battery";
const LAUNCH = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync",
    // A page that the steps serve themselves comes from no address, and would not be let to one of this machine.
    ...(process.env.DIST ? ["--disable-features=LocalNetworkAccessChecks"] : [])],
};
export const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const launch = () => chromium.launch(LAUNCH);

// A browser that keeps no data for any site, as one of its settings has it.
export async function withoutStorage(work) {
  const profile = mkdtempSync(join(tmpdir(), "parlour-browser-"));
  mkdirSync(join(profile, "Default"));
  const settings = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(settings));
  const context = await chromium.launchPersistentContext(profile, LAUNCH);
  try {
    await work(context);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

// Types with the keys of a keyboard. A line break within the text is Shift+Enter, as the page has it.
export async function type(page, text) {
  const [first, ...rest] = text.split("\n");
  await page.keyboard.type(first);
  for (const line of rest) {
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type(line);
  }
}

export async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
}

// Goes to a field as a person at a keyboard does; says so when it cannot be reached.
export async function tabTo(page, target, key = "Tab") {
  const reached = async () => target.evaluate((element) => element === document.activeElement);
  for (let steps = 0; steps < 20 && !(await reached()); steps++) await page.keyboard.press(key);
  assert(await reached(), `${key} never reaches ${target}`);
}

// Empties what has the focus.
export const empty = (page) => press(page, "Control+A", "Delete");

// At the door, without a pointer: from the name, where the page puts the cursor, to the button.
export async function enter(page, name, password, { isNew = false } = {}) {
  const username = page.getByLabel("Username");
  await username.waitFor();
  await tabTo(page, username, "Shift+Tab");
  await empty(page);
  await type(page, name);
  await press(page, "Tab");
  await empty(page);
  await type(page, password);
  await tabTo(page, page.getByRole("radio", { checked: true }), "Shift+Tab");
  const wanted = page.getByRole("radio", { name: isNew ? "I am new here" : "I have an account" });
  if (!(await wanted.isChecked())) await press(page, "ArrowDown");
  assert(await wanted.isChecked(), "an arrow changes the choice");
  await tabTo(page, page.getByLabel("Password"));
  await press(page, "Enter");
}

export const composer = (page, room = "general") => page.getByLabel(`Message to ${room}`);
export const connected = (page) => page.getByRole("status").getByText("Connected", { exact: true }).waitFor();
export const state = (page, words) => page.getByRole("status").getByText(words).waitFor();
export const texts = (page) => page.locator("#log .text").allTextContents();
export const ids = (page) => page.locator("#log li").evaluateAll((all) => all.map((one) => Number(one.dataset.id)));
export const shows = (page, text) => page.locator("#log li[data-id] .text").getByText(text, { exact: true }).first().waitFor();
export async function say(page, text) {
  await composer(page).click();
  await type(page, text);
  await press(page, "Enter");
}

// What axe finds wrong with what is on the screen.
export async function complaints(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ").slice(0, 300)}`);
}
