// Makes the picture of the page that the README shows: four people who chat, on a server that has no messages yet.
//
//   DATA_DIR=$(mktemp -d) parlour serve &
//   node picture.mjs http://127.0.0.1:8000 ../../docs/img/page.png
import { composer, connected, enter, launch, PASSWORD, say, type } from "./hands.mjs";

const [base, file] = process.argv.slice(2);
const WORDS = [
  ["mira", "Good morning! The new server is up: one binary, one folder with the data."],
  ["jonas", "That was quick. What else does it need?"],
  ["mira", "Nothing. The database is inside."],
  ["mira", "Messages are encrypted at rest, with a key the server holds."],
  ["amara", "I killed it while Wen was sending, to see what happens."],
  ["wen", "My message is there. Once, not twice."],
  ["jonas", 'Does <b>HTML</b> do anything here? <img src=x onerror="alert(1)">'],
  ["amara", "Nothing at all, as it should be."],
  ["amara", "\u0645\u0631\u062d\u0628\u0627 — other scripts keep their direction, too."],
];

const browser = await launch(), pages = new Map();
for (const name of ["amara", "jonas", "wen", "mira"]) {
  const context = await browser.newContext({ viewport: { width: 960, height: 600 }, deviceScaleFactor: 2, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(base);
  await enter(page, name, PASSWORD, { isNew: true });
  await connected(page);
  pages.set(name, page);
}
for (const [name, words] of WORDS) await say(pages.get(name), words);
const page = pages.get("mira");
await page.getByText(WORDS.at(-1)[1]).waitFor();
await page.getByText("4 online").click();
await composer(page).click();
await type(page, "Then let us move the whole team");
await page.screenshot({ path: file });
await browser.close();
