// Two people and their days with the web client, as they would see them.
//
//   node web-story.mjs http://127.0.0.1:8000 http://127.0.0.1:8001
//
// The first server has no rate limits; the second takes few messages at a time, and short ones.
// At times the first needs something done to it: this prints `server: kill`, `start`, `pause` or `resume` and waits for a line
// on its standard input that says it is done.
// SHOTS names a folder for screenshots; DIST one from which the client is served, in place of the one in the server; STEPS
// the steps to run behind the first two, by a pattern for their names: for who works at one, not in CI.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import { PASSWORD, PATIENCE, empty, launch, press, type } from "./hands.mjs";
import sending from "./web-sending.mjs";
import places from "./web-places.mjs";
import edges from "./web-edges.mjs";
import keys from "./web-keys.mjs";
import { composer, connected, dialog, enter, faultsOf, fromFolder, list, login, message, room, shows, signOut, texts, write } from "./web-hands.mjs";

const [base, hurried] = process.argv.slice(2), { SHOTS: shots, DIST } = process.env;
assert(hurried, "say where the servers are: node web-story.mjs http://127.0.0.1:8000 http://127.0.0.1:8001");
const mark = Math.random().toString(36).slice(2, 8);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const faults = [], addresses = [];

async function server(deed) {
  console.log(`server: ${deed}`);
  assert(!(await lines.next()).done, "nobody answered on standard input");
}

function watch(page) {
  const asked = (url) => {
    addresses.push(url);
    if (/^(data|blob):/.test(url)) return;
    if (![base, hurried].some((one) => new URL(one).host === new URL(url).host)) faults.push(`a request left the host: ${url}`);
  };
  page.on("request", (request) => asked(request.url()));
  page.on("websocket", (socket) => asked(socket.url()));
  page.on("pageerror", (error) => faults.push(`an error in the page: ${error.stack}`));
  page.on("dialog", (box) => {
    faults.push(`a dialog: ${box.message()}`);
    box.dismiss();
  });
  page.on("console", (said) => {
    if (/content security policy|trusted ?type/i.test(said.text())) faults.push(said.text());
  });
}

async function open(options = {}, url = base) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", ...(DIST && { serviceWorkers: "block" }), ...options });
  context.setDefaultTimeout(PATIENCE);
  context.on("page", watch);
  await fromFolder(context, DIST);
  const page = await context.newPage();
  await page.goto(url);
  return { context, page };
}

// The bytes of script, as they come over the line, until a part of the page is on the screen, and those that come right behind it.
async function loadedFor(page, seen) {
  const sizes = new Map(), reading = [];
  const size = async (response) => {
    const { "content-encoding": isPacked, "content-length": bytes } = await response.allHeaders();
    sizes.set(response.url(), isPacked ? Number(bytes) : gzipSync(await response.body()).length);
  };
  const heard = (response) => { if (response.request().resourceType() === "script") reading.push(size(response).catch(() => {})); }; // of a page that is left there is none
  page.on("response", heard);
  await page.addInitScript((what) => {
    new MutationObserver((_, eye) => {
      if (!document.querySelector(what)) return;
      window.seenAt = performance.now();
      eye.disconnect();
    }).observe(document, { childList: true, subtree: true });
  }, seen);
  await page.reload();
  await page.locator(seen).first().waitFor();
  const begun = () => page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => /\.js$/.test(name)).map(({ name, startTime }) => [name, startTime < window.seenAt]));
  const deadline = Date.now() + PATIENCE;
  while (!(await begun()).some(([, isFirst]) => !isFirst)) assert(Date.now() < deadline, `nothing is loaded behind ${seen}`);
  const all = await begun();
  page.off("response", heard);
  await Promise.all(reading);
  const sum = (isFirst) => all.filter(([, one]) => one === isFirst).reduce((bytes, [name]) => bytes + sizes.get(name), 0);
  return { first: sum(true), after: sum(false) };
}

async function picture(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

const browser = await launch();
const [ALICE, BOB] = [`alice_${mark}`, `bob_${mark}`], GARDEN = `garden-${mark}`;
const alice = await open(), bob = await open({ colorScheme: "dark" });
const HOSTILE = [
  "<img src=x onerror=\"window.pwned = 'img'; alert(1)\">", "<script>window.pwned = 'script'</script>", "<svg/onload=alert(1)>",
  "[click](javascript:window.pwned=1)", "<a href=\"javascript:alert(1)\">x</a>", "<form id=app><input name=children>",
  "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
  "\u202etxet desrever\u2066 \u200b zero width", "![x](https://example.org/x.png)", "W".repeat(800), `Z${"\u0301".repeat(40)}algo`,
];

const tests = {
  async "what is wrong at the door is said at its field, and can be mended at once"() {
    const { page } = alice;
    await enter(page, ALICE, PASSWORD);
    await page.getByRole("alert").getByText("Name or password is not right").waitFor();
    await page.locator("#password:focus[aria-invalid=true]").waitFor();
    await enter(page, "admin", PASSWORD, { isNew: true });
    await page.locator("#username:focus[aria-invalid=true]").waitFor();
    await enter(page, ALICE, "short", { isNew: true });
    await page.getByRole("alert").getByText("Eight characters").waitFor();
    await page.locator(".strength[data-level='1']").waitFor();
    await picture(page, "register");
    await enter(page, ` ${ALICE} `, PASSWORD, { isNew: true }); // a space too many, as phones add one
    await connected(page);
    await signOut(page);
    await enter(page, ALICE, PASSWORD, { isNew: true });
    await page.getByRole("alert").getByText("Somebody has this name already").waitFor();
    await enter(page, `${ALICE} `, PASSWORD);
    await connected(page);
  },

  async "two people talk, with keys alone"() {
    await enter(bob.page, BOB, PASSWORD, { isNew: true });
    await connected(bob.page);
    await composer(bob.page).and(bob.page.locator(":focus")).waitFor(); // a room opens with the focus in the composer
    await type(alice.page, "hello bob");
    await press(alice.page, "Enter");
    await shows(bob.page, "hello bob");
    await type(bob.page, "hello alice\nin two lines");
    await press(bob.page, "Enter");
    await alice.page.locator(".text", { hasText: "in two lines" }).locator("br").waitFor({ state: "attached" });
  },

  async "a message is written as in any field, and the Enter that ends a composition sends nothing"() {
    const { page } = alice, keys = await page.context().newCDPSession(page);
    await composer(page).click();
    await type(page, "orld");
    await press(page, "Home");
    await type(page, "hello, vw");
    await press(page, "ArrowLeft", "Backspace", "End", "Shift+Enter");
    await type(page, "line two");
    assert.equal(await composer(page).inputValue(), "hello, world\nline two");
    await press(page, "Control+Z");
    assert.notEqual(await composer(page).inputValue(), "hello, world\nline two");
    await empty(page);
    const before = await texts(page);
    const pressEnter = async (code) => {
      const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: code };
      await keys.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...key });
      await keys.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
    };
    await keys.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
    await pressEnter(13); // within it, as Chromium and Firefox have it
    await keys.send("Input.insertText", { text: "日本" });
    await pressEnter(229); // after it, as Safari has it
    assert.equal(await composer(page).inputValue(), "日本");
    assert.deepEqual(await texts(page), before);
    await type(page, " ok");
    await press(page, "Enter");
    await shows(page, "日本 ok");
  },

  async "hostile texts are texts"() {
    for (const text of HOSTILE) {
      await alice.page.bringToFront();
      await composer(alice.page).click();
      await type(alice.page, text);
      await press(alice.page, "Enter");
    }
    for (const { page } of [alice, bob]) {
      await message(page, "algo").first().waitFor();
      const shown = (await texts(page)).join("\n");
      for (const text of HOSTILE.slice(0, 3)) assert(shown.includes(text), `not shown as it is: ${text}`);
      assert.equal(await page.locator(".text :is(img, script, svg:not(.i), form, input, style)").count(), 0);
      assert.equal(await page.locator(".text a[href^='javascript']").count(), 0);
      assert.equal(await page.evaluate(() => window.pwned), undefined);
      const over = await page.evaluate(() => [document.documentElement, document.querySelector(".timeline")].some((box) => box.scrollWidth > box.clientWidth));
      assert(!over, "it scrolls sideways");
    }
  },

  async "Markdown is drawn: a table, and code in its colours with a button that copies it"() {
    const { page } = alice;
    await composer(page).click();
    await type(page, "```rust\nfn one() -> u64 { 1 }\n```");
    await press(page, "Enter");
    await type(page, "| a | b |\n|---|---:|\n| 1 | 2 |");
    await press(page, "Enter");
    await bob.page.locator(".sheet-wrap td.r", { hasText: "2" }).waitFor();
    await bob.page.locator("figure.code header", { hasText: "Rust" }).waitFor();
    await bob.page.locator("figure.code .hljs-keyword", { hasText: "fn" }).waitFor();
    await bob.page.getByRole("button", { name: "Copy code" }).click();
    await bob.page.getByText("Copied").waitFor();
  },

  async "a room is made, found, joined, written in and left"() {
    await alice.page.getByRole("button", { name: "Browse or make a room" }).click();
    await dialog(alice.page, "Rooms").getByRole("link", { name: "Make one" }).click();
    await type(alice.page, "No Good!");
    await press(alice.page, "Enter");
    await alice.page.getByRole("alert").getByText("Only a to z").waitFor();
    await press(alice.page, "Control+A");
    await type(alice.page, GARDEN);
    await press(alice.page, "Tab");
    await type(alice.page, "what grows");
    await press(alice.page, "Enter");
    await alice.page.getByRole("heading", { name: `#${GARDEN} begins here` }).waitFor();
    await write(alice.page, "first in the garden");
    await bob.page.getByRole("button", { name: "Browse or make a room" }).click();
    await type(bob.page, GARDEN);
    await bob.page.getByRole("button", { name: `Join ${GARDEN}` }).click();
    await shows(bob.page, "first in the garden");
    await bob.page.locator(".topic", { hasText: "what grows" }).waitFor();
    await write(bob.page, "and second");
    await shows(alice.page, "and second");
  },

  async "what one did can be changed: edited with the arrow up, reacted to, pinned, deleted"() {
    const { page } = bob;
    await composer(page, `#${GARDEN}`).click();
    await press(page, "ArrowUp");
    await page.getByLabel("Text of the message").and(page.locator(":focus")).waitFor();
    await type(page, ", mended");
    await press(page, "Enter");
    await shows(alice.page, "and second, mended");
    await message(alice.page, "and second, mended").getByRole("button", { name: "Edited" }).click();
    await dialog(alice.page, "What it said before").getByText("and second", { exact: true }).waitFor();
    await press(alice.page, "Escape");
    await message(alice.page, "and second, mended").hover();
    await alice.page.getByRole("button", { name: "React with 👍" }).click();
    await message(page, "and second, mended").getByRole("button", { name: "👍 1" }).waitFor();
    await message(alice.page, "and second, mended").locator("[aria-pressed=true]").click(); // and taken back
    await message(page, "and second, mended").locator(".react").waitFor({ state: "detached" });
    await composer(alice.page, `#${GARDEN}`).click(); // by keys: to the messages, the last of them, pin
    await press(alice.page, "Shift+F6", "ArrowUp", "p");
    await message(page, "and second, mended").locator(".pinned").waitFor({ state: "attached" });
    await message(page, "and second, mended").click({ position: { x: 400, y: 6 } });
    await message(page, "and second, mended").hover();
    await message(page, "and second, mended").getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await dialog(page, "Delete this message?").getByRole("button", { name: "Delete" }).click();
    await alice.page.getByText("Deleted at").waitFor();
  },

  async "a thread is a place of its own, and tells who is in it"() {
    await message(alice.page, "first in the garden").hover();
    await alice.page.getByRole("button", { name: "Reply in thread" }).click();
    await alice.page.getByLabel("Message to the thread").and(alice.page.locator(":focus")).waitFor();
    await type(alice.page, "a reply");
    await press(alice.page, "Enter");
    await shows(alice.page, "a reply", ".pane");
    await message(bob.page, "first in the garden").getByRole("button", { name: "1 reply" }).click();
    await shows(bob.page, "a reply", ".pane");
    await bob.page.getByLabel("Message to the thread").click();
    await type(bob.page, "another");
    await press(bob.page, "Enter");
    await shows(alice.page, "another", ".pane");
    assert(!(await texts(alice.page)).includes("another"), "a reply stands in the room");
    for (const { page } of [alice, bob]) await message(page, "first in the garden").getByRole("button", { name: "2 replies" }).waitFor();
    await picture(alice.page, "thread");
    await press(alice.page, "Escape");
    await alice.page.locator(".pane").waitFor({ state: "detached" });
    await alice.page.getByRole("link", { name: "Threads" }).click();
    await alice.page.getByRole("button", { name: "2 replies" }).waitFor();
    await alice.page.goBack();
  },

  async "a mention and a direct message are told by a badge, typing by a line"() {
    await room(alice.page, "general").click();
    await composer(bob.page, `#${GARDEN}`).click();
    await type(bob.page, `look @ali`);
    await bob.page.getByRole("option", { name: ALICE }).waitFor();
    await press(bob.page, "Tab");
    await type(bob.page, "here");
    await press(bob.page, "Enter");
    await room(alice.page, GARDEN).getByText("1 mention").waitFor({ state: "attached" });
    assert.match(await alice.page.title(), /^\(1\)/);
    await room(alice.page, GARDEN).click();
    await message(alice.page, "here").and(alice.page.locator(".to-me")).waitFor();
    await room(alice.page, GARDEN).getByText("1 mention").waitFor({ state: "detached" });
    await type(alice.page, "writing");
    await bob.page.getByText("is writing").waitFor();
    await empty(alice.page);
    await press(bob.page, "Control+k");
    await type(bob.page, ALICE);
    await bob.page.getByRole("option", { name: ALICE }).waitFor();
    await press(bob.page, "Enter");
    await composer(bob.page, ALICE).waitFor();
    await write(bob.page, "between us");
    await room(alice.page, BOB).getByText("1 unread").waitFor({ state: "attached" });
    await room(alice.page, BOB).click();
    await shows(alice.page, "between us");
    await picture(alice.page, "direct");
  },

  async "a member is made a moderator, is taken out, and reads no more"() {
    await room(alice.page, GARDEN).click();
    await press(alice.page, "Control+Shift+M");
    const members = dialog(alice.page, `Room ${GARDEN}`).or(dialog(alice.page, `# ${GARDEN}`));
    await members.getByLabel(`Role of ${BOB}`).waitFor();
    await picture(alice.page, "members");
    await room(bob.page, GARDEN).click();
    await members.getByRole("button", { name: `More about ${BOB}` }).click();
    await alice.page.getByRole("menuitem", { name: "Take out" }).click();
    await alice.page.getByRole("button", { name: "Take out" }).click();
    await bob.page.getByText("You are not in this room any more").first().waitFor();
    await room(bob.page, GARDEN).waitFor({ state: "detached" });
    await room(bob.page, "general").click();
    await room(alice.page, "general").click();
  },

  async "a status and a name that others see are seen by them"() {
    await press(bob.page, "Control+Shift+Y");
    await dialog(bob.page, "Your status").getByRole("button", { name: "At lunch" }).click();
    await bob.page.getByRole("button", { name: "Save" }).click();
    await list(alice.page).getByText("🥪").waitFor();
    await bob.page.locator(".me").click();
    await bob.page.getByRole("menuitem", { name: "Your profile" }).click();
    await bob.page.getByLabel("Name that others see").click();
    await type(bob.page, "Bob B.");
    await press(bob.page, "Enter");
    await room(alice.page, "Bob B.").waitFor();
    await message(alice.page, "hello alice").getByRole("button", { name: "Bob B." }).first().click();
    await dialog(alice.page, "Profile of Bob B.").getByText(`@${BOB}`).waitFor();
    await picture(alice.page, "card");
    await press(alice.page, "Escape");
  },

  async "who is invisible and says something for a while is told that they are invisible again after it"() {
    const { page } = alice;
    const said = dialog(page, "Your status");
    const open = async () => {
      await press(page, "Control+Shift+Y");
      await said.waitFor();
    };
    await open();
    await said.getByText("Invisible", { exact: true }).click();
    await said.getByRole("button", { name: "Save" }).click();
    await said.waitFor({ state: "detached" });
    await open();
    await said.getByRole("button", { name: "At lunch" }).click();
    await said.getByRole("button", { name: "Save" }).click();
    await page.getByText(/^From .+ on it is “Invisible” again\.$/).waitFor();
    await open();
    await said.getByText(/^on .+, then: Invisible$/).waitFor({ state: "attached" });
    await said.getByRole("radio", { name: "Invisible", checked: true }).waitFor();
    await said.getByRole("button", { name: "Clear status" }).click();
    await said.waitFor({ state: "detached" });
    // Who was invisible is so until they say otherwise.
    await open();
    await said.getByRole("radio", { name: "Invisible", checked: true }).waitFor();
    await said.getByText("Online").click();
    await said.getByRole("button", { name: "Save" }).click();
    await said.waitFor({ state: "detached" });
  },

  async "whoever types beside the field writes, and does nothing to a message that was only clicked"() {
    const { page } = alice;
    const name = `beside-${mark}`, label = `#${name}`;
    await (await login(base, ALICE, PASSWORD))("POST", "/rooms", { name, kind: "private" });
    await room(page, name).click();
    await write(page, "only clicked", label);
    await page.locator("article[data-id]", { hasText: "only clicked" }).waitFor();
    const writes = async (text) => {
      await type(page, text);
      assert.equal(await composer(page, label).inputValue(), text);
      await press(page, "Control+a", "Backspace");
    };
    await message(page, "only clicked").locator(".text").first().click();
    await writes("pest");
    await press(page, "ArrowUp");
    await type(page, ", mended");
    await press(page, "Enter");
    await shows(page, "only clicked, mended");
    await writes("used");
    await message(page, "only clicked, mended").first().hover();
    await message(page, "only clicked, mended").locator(".actions button").first().click();
    await writes("rest");
    await page.mouse.click(720, 120);
    await writes("drop");
    assert.equal(await message(page, "only clicked, mended").locator(".pinned").count(), 0);
    await room(page, "general").click();
  },

  ...sending({ base, hurried, browser, mark, alice, bob, ALICE, BOB, open, picture, server, DIST }),
  ...places({ base, hurried, browser, mark, alice, bob, ALICE, BOB, open, picture, server }),

  ...edges({ base, mark, alice, bob, ALICE, BOB, open, watch, picture, server, DIST }),

  ...keys({ base, mark, ALICE, open }),

  async "axe finds nothing wrong on any screen, in both themes, from a phone to a wide screen"() {
    const stranger = await open();
    const views = {
      door: [stranger.page, async () => {}],
      room: [alice.page, async () => {}],
      switcher: [alice.page, () => press(alice.page, "Control+k")],
      browse: [alice.page, async () => { await press(alice.page, "Control+k"); await type(alice.page, "browse"); await press(alice.page, "Enter"); }],
      members: [alice.page, () => press(alice.page, "Control+Shift+M")],
      status: [alice.page, () => press(alice.page, "Control+Shift+Y")],
      notices: [alice.page, async () => { await press(alice.page, "Control+k"); await type(alice.page, "notices"); await press(alice.page, "Enter"); await dialog(alice.page, "Notices").waitFor(); }],
      emoji: [alice.page, async () => { await alice.page.locator(".main textarea.write").click(); await press(alice.page, "Control+."); await alice.page.locator(".emoji-grid button").first().waitFor(); }],
    };
    for (const [name, [page, show]] of Object.entries(views))
      for (const colorScheme of ["light", "dark"])
        for (const width of [390, 820, 1440]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 844 });
          await show();
          assert.deepEqual(await faultsOf(page, name), [], `${name}, ${colorScheme}, ${width} wide`);
          await picture(page, `${name}-${colorScheme}-${width}`);
          if (page === alice.page) await press(page, "Escape");
        }
    await alice.page.setViewportSize({ width: 390, height: 844 });
    await alice.page.getByRole("button", { name: /^Rooms/ }).first().click();
    await room(alice.page, "general").waitFor();
    assert.deepEqual(await faultsOf(alice.page, "drawer"), [], "the drawer");
    await picture(alice.page, "drawer");
    await press(alice.page, "Escape");
    await alice.page.setViewportSize({ width: 1440, height: 900 });
    await stranger.context.close();
  },

  async "what is loaded at first is small, nothing left the host, and no token is where a script or a log could find it"() {
    const { page, context } = await open({ serviceWorkers: "block" });
    const at = { door: await loadedFor(page, "#username") };
    await enter(page, ALICE, PASSWORD);
    await connected(page);
    await room(page, "general").click();
    await page.locator(".timeline article[data-id]").first().waitFor();
    at.room = await loadedFor(page, ".timeline article[data-id]");
    for (const [view, { first, after }] of Object.entries(at)) {
      console.log(`script at first load of the ${view}: ${(first / 1_000).toFixed(1)} kB, of 120 at most; behind it ${(after / 1_000).toFixed(1)} kB`);
      assert(first > 1_000 && first <= 120_000, `${first} bytes of script for the ${view}`);
      assert(after > 0, `nothing is loaded behind the ${view}`);
    }
    await context.close();
    assert.deepEqual(faults, []);
    assert(addresses.some((address) => address.includes("/ws/chat?ticket=")));
    assert(!addresses.some((address) => /token|eyJ/.test(address)), "a token in an address");
    const kept = await alice.page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie);
    assert(!/eyJ|refresh/.test(kept), "a token in the reach of scripts");
  },
};

const only = process.env.CI ? undefined : process.env.STEPS;
const steps = Object.entries(tests).filter(([name], place) => place < 2 || !only || new RegExp(only).test(name));
let passed = 0;
for (const [name, test] of steps) {
  const begun = Date.now();
  try {
    await test();
    console.log(`ok - ${name} (${((Date.now() - begun) / 1_000).toFixed(1)} s)`);
    passed += 1;
  } catch (error) {
    console.log(`FAILED - ${name}\n${error.stack}\n${faults.join("\n")}`);
    for (const [who, { page }] of Object.entries({ alice, bob })) await picture(page, `failed-${who}-${name.slice(0, 20).replaceAll(" ", "-")}`).catch(() => {});
    if (!only) break; // what follows would stand on it
  }
}
await browser.close();
console.log(`${passed} of ${steps.length} passed`);
process.exit(passed === steps.length ? 0 : 1);
