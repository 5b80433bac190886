// Makes the pictures of the web client that the documents show: five people and their talk. Called as web-story.mjs is. They
// come into docs/img where PARLOUR_WRITE_PICTURES is set, else into the folder that SHOTS names, or nowhere.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PASSWORD, PATIENCE, launch, press, type } from "./hands.mjs";
import { composer, connected, dialog, enter, fromFolder, list, login, message, room, shows, texts } from "./web-hands.mjs";

const [base] = process.argv.slice(2), { PARLOUR_WRITE_PICTURES, SHOTS, DIST } = process.env;
const folder = PARLOUR_WRITE_PICTURES ? fileURLToPath(new URL("../../docs/img/web", import.meta.url)) : SHOTS && join(SHOTS, "pictures");
const PEOPLE = { mira: "Mira Okafor", jonas: "Jonas Weber", amara: "أمارة", wen: "Wen Li", tomas: "Tomás Silva" };
const CODE = "```rust\n// Stored first, then acknowledged.\nlet id = journal.append(&message).await?;\nsocket.send(Ack { id }).await?;\n```";
const TABLE = "| database | faults | acked | lost |\n|---|---:|---:|---:|\n| SQLite | 537 | 59,769 | 0 |\n| PostgreSQL | 376 | 53,839 | 0 |";
const TALK = [
  ["jonas", "Morning. I moved the team's server over: one binary, one folder with the data."],
  ["mira", "That was quick. What else does it need?"],
  ["jonas", "Nothing. The database is inside."],
  ["tomas", "And when it falls over in the middle of a sentence?"],
  ["amara", "مرحبا! أوقفتُ الخادم بينما كانت وين ترسل."],
  ["wen", "My message is there. **Once**, not twice."],
  ["jonas", `This is why:\n${CODE}`],
  ["tomas", `The verifier says the same:\n\n${TABLE}`],
  ["mira", "Good. Then let us tell the others on Monday, @wen can you write the note?"],
];

const browser = await launch();
const tokens = new Map();
async function person(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5, locale: "en-GB", ...(DIST && { serviceWorkers: "block" }), ...options });
  context.setDefaultTimeout(PATIENCE);
  await fromFolder(context, DIST);
  const page = await context.newPage();
  await page.goto(base);
  if (name) {
    await enter(page, name, PASSWORD);
    await connected(page);
  }
  return page;
}
async function picture(page, name) {
  await page.mouse.move(3, 3);
  await page.evaluate(() => document.fonts.ready.then(() => true));
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled", caret: "hide" });
}

async function scene() {
  for (const [name, shown] of Object.entries(PEOPLE)) {
    const body = JSON.stringify({ username: name, password: PASSWORD });
    const made = await fetch(`${base}/api/auth/register`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    assert.equal(made.status, 201);
    tokens.set(name, await login(base, name, PASSWORD));
    await tokens.get(name)("PATCH", "/users/me", { display_name: shown });
  }
  const mira = tokens.get("mira");
  const users = Object.keys(PEOPLE).filter((name) => name !== "mira");
  const release = await mira("POST", "/rooms", { name: "release", kind: "public", topic: "What goes out, and when", users });
  for (const [name, kind] of [["garden", "public"], ["kitchen", "public"], ["board", "private"]]) await mira("POST", "/rooms", { name, kind, users });
  const said = [];
  for (const [name, content] of TALK) said.push(await tokens.get(name)("POST", `/rooms/${release.room}/messages`, { content }));
  const at = `/rooms/${release.room}/messages`;
  for (const [name, emoji, which] of [["mira", "👍", 5], ["jonas", "👍", 5], ["tomas", "🎉", 5], ["wen", "👀", 7]]) {
    await tokens.get(name)("PUT", `${at}/${said[which].id}/reactions/${encodeURIComponent(emoji)}`);
  }
  await mira("PUT", `${at}/${said[7].id}/pin`);
  for (const [name, content] of [["wen", "I can. Until when?"], ["jonas", "Friday is early enough, the slot is booked."], ["wen", "Then you have a draft on Thursday."]]) {
    await tokens.get(name)("POST", at, { content, thread: said[8].id });
  }
  await tokens.get("tomas")("POST", `/rooms/garden/messages`, { content: "The tomatoes are in, @mira come and look" }).catch(() => {});
  await tokens.get("jonas")("POST", `/rooms/kitchen/messages`, { content: "New coffee" });
  const direct = await tokens.get("wen")("POST", "/direct", { users: ["mira"] });
  await tokens.get("wen")("POST", `/rooms/${direct.room}/messages`, { content: "Do you have a minute?" });
  await mira("POST", "/direct", { users: ["jonas"] });
  return said;
}

const said = await scene();
const others = [];
for (const name of ["jonas", "wen"]) others.push(await person(name));
const [light, dark] = [await person("mira", { colorScheme: "light" }), await person("mira", { colorScheme: "dark" })];
const inRelease = async (page) => {
  await page.goto(`${base}/r/release`);
  await connected(page);
  await shows(page, "Nothing. The database is inside.");
  await page.locator("figure.code .hljs-keyword").first().waitFor();
  await page.locator("article", { hasText: "Then let us tell" }).waitFor();
  await list(page).locator(".dot[data-p=online]").nth(1).waitFor({ state: "attached" });
};

for (const [page, theme] of [[light, "light"], [dark, "dark"]]) {
  await inRelease(page);
  await composer(page, "#release").click();
  if (theme === "light") await type(page, "I shall put it on the list");
  await picture(page, `conversation-${theme}`);
}
await light.goto(`${base}/r/release/t/${said[8].id}`);
await shows(light, "Then you have a draft on Thursday.", ".pane");
await picture(light, "thread");
await press(light, "Escape");
await press(light, "Control+k");
await type(light, "ga");
await dialog(light, "Jump to").or(light.getByRole("dialog")).first().waitFor();
await light.getByRole("option").first().waitFor();
await picture(light, "switcher");
await press(light, "Escape");
await press(dark, "Control+Shift+M");
await dark.getByRole("dialog").getByText("@tomas").waitFor();
await picture(dark, "members");
await press(dark, "Escape");
await message(dark, "My message is there").getByRole("button", { name: "Wen Li" }).first().click();
await dialog(dark, "Profile of Wen Li").getByText("@wen").waitFor();
await picture(dark, "profile");
await press(dark, "Escape");
await light.context().setOffline(true);
await light.getByText("You are offline.").waitFor();
await composer(light, "#release").click();
await press(light, "Control+A", "Delete");
for (const text of ["On the train now, the tunnel comes.", "So this goes out later."]) {
  await type(light, text);
  await press(light, "Enter");
  await message(light, text).waitFor();
}
await message(light, "So this goes").getByText("Waits for the connection").waitFor();
await picture(light, "offline");
await light.context().setOffline(false);
await connected(light);
assert((await texts(light)).includes("So this goes out later."));
const phone = await person("mira", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark", deviceScaleFactor: 2 });
await phone.goto(`${base}/r/release`);
await shows(phone, "Once, not twice.").catch(() => {});
await phone.locator("article", { hasText: "So this goes" }).waitFor();
await picture(phone, "phone-conversation");
await phone.getByRole("button", { name: /^Rooms/ }).first().click();
await room(phone, "garden").waitFor();
await list(phone).waitFor();
await picture(phone, "phone-drawer");
const door = await person(undefined, { colorScheme: "light" });
await door.getByRole("button", { name: "Register" }).click();
await door.getByText("3 to 50 characters").waitFor();
await door.locator("#username").click();
await type(door, "nadia");
await press(door, "Tab");
await type(door, "nine violet teapots");
await picture(door, "register");
await browser.close();
console.log("the pictures are made");
