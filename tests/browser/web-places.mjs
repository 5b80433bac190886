// Places: many rooms, long histories, links, small screens. The reader stays where the reader is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PASSWORD, empty, press, type } from "./hands.mjs";
import { composer, connected, dialog, enter, faultsOf, list, login, message, olderCome, room, shows, write } from "./web-hands.mjs";

// How far a message is from the top of what scrolls.
const topOf = (page, text) => message(page, text).first().evaluate((one) => one.getBoundingClientRect().top);

export default ({ base, mark, alice, bob, ALICE, BOB, open, picture }) => ({
  async "a long history is read upwards without a jump, and what comes below moves nothing"() {
    const { page } = alice;
    await room(page, "general").click();
    await shows(page, "after the first has gone");
    await page.locator(".timeline-wrap .timeline").hover();
    for (let turn = 0; turn < 6; turn++) {
      await page.mouse.wheel(0, -1_500);
      await page.waitForTimeout(250); // the pages come
    }
    const middle = await page.evaluate(() => {
      const box = document.querySelector(".timeline-wrap .timeline").getBoundingClientRect();
      const all = [...document.querySelectorAll(".timeline-wrap article .text")];
      return all.find((one) => one.getBoundingClientRect().top > box.top + box.height / 3)?.innerText.trim();
    });
    const before = await topOf(page, middle);
    const api = await login(base, BOB, PASSWORD);
    for (let n = 0; n < 5; n++) await api("POST", "/rooms/general/messages", { content: `below ${n}` });
    await page.getByRole("button", { name: "5 newer" }).waitFor();
    assert(Math.abs((await topOf(page, middle)) - before) < 2, "what came below has moved what is read");
    await page.getByRole("button", { name: "5 newer" }).click();
    await shows(page, "below 4");
  },

  async "older messages that come late move no line on the screen, also where they come"() {
    const name = `older-${mark}`, [mine, api] = await Promise.all([ALICE, BOB].map((who) => login(base, who, PASSWORD)));
    const { room: key } = await api("POST", "/rooms", { name, kind: "private", users: [ALICE] });
    for (let n = 0; n < 170; n++) await api("POST", `/rooms/${key}/messages`, { content: `**older** ${n}` });
    await mine("PUT", `/rooms/${key}/read`, { seq: (await mine("GET", `/rooms/${key}`)).seq });
    const page = await alice.context.newPage();
    await page.goto(`${base}/r/${name}`);
    await shows(page, "older 169");
    const { pages, moved } = await olderCome(page, `#${name} begins here`);
    assert(pages >= 2, `${pages} pages came`);
    assert(moved <= 1, `a line has moved by ${moved} px`);
    await page.close();
  },

  async "a link leads to its message, however far up, and from there one reads on to the newest"() {
    const api = await login(base, ALICE, PASSWORD);
    const found = (await api("GET", "/rooms/general/messages?limit=1&after=1"))[0];
    const page = await alice.context.newPage();
    await page.goto(`${base}/r/general/${found.id}`);
    await page.locator(`article[data-id='${found.id}']`).waitFor();
    await page.locator(`article[data-id='${found.id}'].found`).waitFor();
    await picture(page, "link");
    await page.getByRole("button", { name: "To the newest message" }).click();
    await shows(page, "below 4");
    await page.close();
  },

  async "a date leads to the first message of its day"() {
    const { page } = alice;
    const api = await login(base, ALICE, PASSWORD);
    const [first] = await api("GET", "/rooms/general/messages?limit=1&after=0");
    await room(page, "general").click();
    await composer(page).click();
    await press(page, "Shift+F6", "ArrowUp", "d");
    await dialog(page, "Go to a date in #general").waitFor();
    await picture(page, "date");
    await press(page, "Enter");
    await page.locator(`article[data-id='${first.id}'].found`).waitFor();
    assert.equal(new URL(page.url()).pathname, `/r/general/${first.id}`);
    await page.locator(".timeline-wrap .timeline").click();
    await press(page, "End");
  },

  async "rooms that the first frame leaves out are there all the same, and a short-frame server is asked in parts"() {
    const { page, context } = await open();
    const asked = [];
    let line, change = (frame) => {
      frame.rooms = frame.rooms.filter(({ kind }) => kind !== "direct");
      frame.more_rooms = 1;
    };
    await context.routeWebSocket(/\/ws\/chat/, (mine) => {
      const server = mine.connectToServer();
      line = mine;
      mine.onMessage((words) => {
        if (JSON.parse(words).type === "sync") asked.push(words);
        server.send(words);
      });
      server.onMessage((words) => {
        const frame = JSON.parse(words);
        if (frame.event === "connected") change(frame);
        mine.send(JSON.stringify(frame));
      });
    });
    await enter(page, BOB, PASSWORD);
    await connected(page);
    await room(page, ALICE).waitFor();
    const api = await login(base, ALICE, PASSWORD);
    const direct = (await api("GET", "/rooms")).find(({ kind }) => kind === "direct").room;
    await api("POST", `/rooms/${direct}/messages`, { content: "to whom was left out" });
    await room(page, ALICE).getByText(/\d+ unread/).waitFor({ state: "attached" });
    change = (frame) => {
      frame.rooms.push(...Array.from({ length: 60 }, (_, n) => ({ room: String(2 ** 50 + n), name: `none-${n}`, kind: "private", seq: 2 ** 40 })));
      frame.limits.frame_bytes = 1_024;
    };
    line.close({ code: 1001 });
    await room(page, "none-1").first().waitFor(); // rooms that are not there: they are told so when they are asked for
    asked.length = 0;
    line.close({ code: 1001 });
    await room(page, "none-1").first().waitFor({ state: "detached" });
    // One part after the other: the next is asked for when the one before it is answered.
    const wanted = () => asked.flatMap((words) => Object.keys(JSON.parse(words).rooms));
    for (let looks = 0; looks < 400 && wanted().length <= 60; looks++) await page.waitForTimeout(50);
    assert(asked.every((words) => words.length <= 1_024), `of ${asked.map((words) => words.length)} bytes`);
    const rooms = wanted();
    assert.equal(new Set(rooms).size, rooms.length);
    assert(rooms.length > 60, `${rooms.length} were asked for`);
    await room(page, ALICE).click();
    await shows(page, "to whom was left out");
    change = (frame) => { // another history, without the direct room
      frame.rooms = frame.rooms.filter(({ kind }) => kind !== "direct");
      frame.more_rooms = 0;
      frame.epoch = "another";
    };
    line.close({ code: 1001 });
    await page.getByText("You are not in this room any more").waitFor();
    await page.getByText("restored from a backup").waitFor();
    await context.close();
  },

  async "what is begun to write is kept for each room, over a reload, and on other devices"() {
    const { page, context } = await open();
    await enter(page, BOB, PASSWORD);
    await connected(page);
    await room(page, "general").click();
    await composer(page).click();
    await type(page, "half a thought");
    await room(page, ALICE).click();
    assert.equal(await composer(page, ALICE).inputValue(), "");
    await room(page, "general").click();
    assert.equal(await composer(page).inputValue(), "half a thought");
    await page.reload();
    await composer(page).waitFor();
    assert.equal(await composer(page).inputValue(), "half a thought");
    const other = await open();
    const api = await login(base, BOB, PASSWORD);
    for (let looks = 0; looks < 100 && (await api("GET", "/rooms/general/draft")).content !== "half a thought"; looks++) await page.waitForTimeout(100);
    await enter(other.page, BOB, PASSWORD);
    await connected(other.page);
    await room(other.page, "general").click();
    for (let looks = 0; looks < 100 && (await composer(other.page).inputValue()) !== "half a thought"; looks++) await page.waitForTimeout(100);
    assert.equal(await composer(other.page).inputValue(), "half a thought");
    // Sent on one, it is begun on none any more: neither where it is on the screen, nor where it is opened later.
    const third = await context.newPage(), none = (on) => composer(on).and(on.locator(".empty")).waitFor();
    await third.goto(`${base}/r/general`);
    await connected(third);
    await composer(other.page).click();
    await press(other.page, "End", "Enter");
    for (const one of [page, third, other.page]) await none(one);
    await third.reload();
    await none(third);
    for (const one of [context, other.context]) await one.close();
  },

  async "a command is carried out and answered where it was written, and one that there is not loses no word"() {
    const { page } = alice;
    const name = `plot-${mark}`;
    const api = await login(base, ALICE, PASSWORD);
    await api("POST", "/rooms", { name, kind: "private" });
    await room(page, name).click();
    await composer(page, `#${name}`).click();
    await type(page, "/top");
    await page.getByRole("listbox", { name: "Commands" }).getByText("/topic").waitFor();
    await picture(page, "commands");
    await press(page, "Tab");
    await type(page, "what grows here");
    await press(page, "Enter");
    await page.locator(".topic", { hasText: "what grows here" }).waitFor();
    await page.locator(".answer").getByRole("status").waitFor();
    await write(page, "/tpoic beans", `#${name}`);
    await page.locator(".answer.bad").waitFor();
    await picture(page, "command-refused");
    assert.equal(await composer(page, `#${name}`).inputValue(), "/tpoic beans");
    await page.getByRole("button", { name: "Send it as a message" }).click();
    await shows(page, "/tpoic beans");
    assert.equal(await composer(page, `#${name}`).inputValue(), "");
  },

  async "who is here is seen at once after quick reloads, and nobody who is here is called offline"() {
    const { page } = alice;
    const api = await login(base, ALICE, PASSWORD);
    await api("POST", "/direct", { users: [BOB] });
    const about = room(page, new RegExp(`Bob B\\.|${BOB}`)).first().locator(".dot");
    await about.waitFor({ state: "attached" });
    for (let turn = 0; turn < 3; turn++) {
      await page.reload();
      await connected(page);
      const seen = await about.evaluateAll((all) => all.map((one) => one.dataset.p));
      assert.match(seen.join(), /^(online|away)$/, `after reload ${turn + 1}`);
    }
  },

  async "what is to be said later waits in its list on all tabs, is changed and taken back, and goes out at its time"() {
    const { page, context } = alice;
    const other = await context.newPage();
    await other.goto(base);
    const inList = (on) => list(on).getByRole("button", { name: /^For later/ });
    await room(page, "general").click();
    await composer(page).click();
    await type(page, `at nine ${mark}`);
    await picture(page, "later-written");
    await press(page, "Control+Shift+Enter");
    await page.getByRole("menu", { name: "Send later" }).waitFor();
    await picture(page, "later-menu");
    await page.getByRole("menuitem", { name: /, 09:00/ }).first().click();
    await page.locator(".answer").getByText("Goes out on").waitFor();
    assert.equal(await composer(page).inputValue(), "");
    for (const one of [page, other]) await inList(one).getByText("1 message for later").waitFor({ state: "attached" });
    await inList(page).click();
    const shown = dialog(page, "For later");
    await shown.getByText(`at nine ${mark}`).waitFor();
    for (const [colorScheme, width] of [["light", 1440], ["dark", 390]]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 844 });
      await page.waitForTimeout(400); // colours pass over into each other
      assert.deepEqual(await faultsOf(page, "for later"), []);
      await picture(page, `later-${colorScheme}-${width}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1440, height: 900 });
    await shown.getByRole("button", { name: "Change" }).click();
    await press(page, "End");
    await type(page, ", or ten");
    await picture(page, "later-change");
    await shown.getByRole("button", { name: "Save" }).click();
    await shown.getByText(`at nine ${mark}, or ten`).waitFor();
    // It is asked first: Escape keeps it, and the list is there again.
    const asks = dialog(page, "Take it back?");
    await shown.getByRole("button", { name: "Take back" }).click();
    await asks.waitFor();
    await press(page, "Escape");
    await shown.getByText(`at nine ${mark}, or ten`).waitFor();
    await shown.getByRole("button", { name: "Take back" }).click();
    await asks.waitFor();
    await press(page, "Tab", "Enter");
    await shown.getByText("Nothing waits to be sent later.").waitFor();
    await inList(other).getByText("1 message for later").waitFor({ state: "detached" });
    await press(page, "Escape");
    // What was pressed last is gone, and the dialog hears keys all the same.
    await shown.waitFor({ state: "detached" });
    // Its text is where one writes.
    assert.equal(await composer(page).inputValue(), `at nine ${mark}, or ten`);
    await composer(page).click();
    await empty(page);
    const api = await login(base, ALICE, PASSWORD);
    await api("POST", "/scheduled", { room: "general", content: `in a moment ${mark}`, send_at: new Date(Date.now() + 1_500).toISOString() });
    await shows(page, `in a moment ${mark}`);
    await inList(page).getByText("1 message for later").waitFor({ state: "detached" });
    await other.close();
  },

  async "on a phone the rooms are a press away, and it fits a watch, a phone and a wide screen"() {
    const { page } = bob;
    const fits = async (what) => assert(!(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)), `${what} scrolls sideways`);
    for (const [width, height] of [[240, 320], [320, 500], [390, 844], [820, 1180], [1440, 900]]) {
      await page.setViewportSize({ width, height });
      await fits(`${width} wide`);
      await picture(page, `room-${width}`);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    assert(await list(page).isHidden());
    await page.getByRole("button", { name: /^Rooms/ }).first().click();
    await room(page, ALICE).click();
    await list(page).waitFor({ state: "hidden" });
    await composer(page, ALICE).waitFor();
    await write(page, "from a phone");
    await shows(page, "from a phone");
    const small = await page.evaluate(() => [...document.querySelectorAll(".main button, .main a")]
      .filter((one) => one.offsetParent && !one.closest(".text, article, .under")).map((one) => [one.getAttribute("aria-label") ?? one.textContent, one.getBoundingClientRect().height])
      .filter(([, height]) => height < 40));
    assert.deepEqual(small, [], "targets that a finger misses");
    await page.setViewportSize({ width: 1440, height: 900 });
    await press(page, "Escape");
  },

  async "a finger that is lifted after a long press presses nothing of what it opened"() {
    const { page, context } = await open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await enter(page, `finger_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    await write(page, "to be held");
    await page.locator("[data-id]", { hasText: "to be held" }).waitFor();
    const menu = page.getByRole("menu"), touch = await page.context().newCDPSession(page);
    const box = await message(page, "to be held").first().boundingBox();
    // Wherever it opens: at three places of the message.
    for (const part of [0.15, 0.5, 0.85]) {
      const [x, y] = [box.x + box.width * part, box.y + box.height - 6];
      await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
      await menu.waitFor();
      await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
      await page.evaluate(() => new Promise((done) => setTimeout(done, 400))); // a click would come within that
      assert(await menu.isVisible(), "the menu has gone");
      assert.equal(await page.getByRole("dialog").count(), 0);
      await page.locator(".catch").tap({ position: { x: 5, y: 5 } });
      await menu.waitFor({ state: "detached" });
    }
    await page.close();
    await context.close();
  },

  async "on a phone Back closes what lies over a conversation, the topmost first, and leaves nothing behind"() {
    const { page, context } = await open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await enter(page, `back_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    const made = dialog(page, "Rooms"), rooms = page.getByRole("button", { name: /^Rooms/ }).first();
    const settled = () => page.evaluate(() => new Promise((done) => setTimeout(done, 100))); // a step of history takes a moment
    const browse = async () => {
      await rooms.tap();
      await list(page).getByRole("button", { name: "Browse or make a room" }).tap();
      await made.waitFor();
      await settled();
    };
    await browse();
    await page.goBack();
    await made.waitFor({ state: "detached" });
    assert(await list(page).isVisible(), "the rooms have gone with the dialog");
    await page.goBack();
    await list(page).waitFor({ state: "hidden" });
    await composer(page).waitFor();
    // What stands over the field, and beside it.
    const formats = page.getByRole("toolbar", { name: "Formatting" }), names = page.getByRole("listbox");
    await composer(page).tap();
    await type(page, "ask ");
    await page.getByRole("button", { name: "Formatting" }).tap();
    await formats.waitFor();
    await composer(page).tap();
    await press(page, "End", "@");
    await names.waitFor();
    await settled();
    await page.goBack(); // the list first
    await names.waitFor({ state: "detached" });
    assert(await formats.isVisible(), "the bar has gone with the list");
    await settled();
    await page.goBack();
    await formats.waitFor({ state: "detached" });
    assert.equal(await composer(page).inputValue(), "ask @");
    await empty(page);
    // What leads on from there has one step, as from anywhere.
    await browse();
    await made.getByRole("button", { name: "Make a room" }).tap();
    await type(page, `back-${mark}`);
    await press(page, "Enter");
    await composer(page, `#back-${mark}`).waitFor();
    await rooms.tap();
    await settled();
    await page.locator(".drawer-scrim").tap({ position: { x: 380, y: 400 } });
    await list(page).waitFor({ state: "hidden" });
    await settled();
    await page.goBack();
    await composer(page).waitFor();
    await context.close();
  },

  async "the newest message stays in sight while a long text is written and the window changes"() {
    const { page, context } = await open();
    await enter(page, `reader_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    const inSight = async (text, what) => {
      for (let looks = 0; looks < 100; looks++) {
        const seen = await message(page, text).first().evaluate((one) => {
          const [box, frame] = [one.getBoundingClientRect(), document.querySelector(".timeline-wrap .timeline").getBoundingClientRect()];
          return box.bottom <= frame.bottom + 1 && box.bottom > frame.top;
        });
        if (seen) return;
        await page.waitForTimeout(20);
      }
      assert.fail(`the newest message is out of sight ${what}`);
    };
    for (let n = 0; n < 12; n++) await write(page, `line ${n} ${"word ".repeat(20)}`);
    await message(page, "line 11").and(page.locator("[data-id]")).waitFor();
    await composer(page).click();
    await type(page, "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight");
    await inSight("line 11", "behind a long text");
    for (const [width, height] of [[700, 500], [820, 1180], [1180, 820], [390, 844]]) {
      await page.setViewportSize({ width, height });
      await inSight("line 11", `at ${width} by ${height}`);
    }
    await context.close();
  },

  async "hostile contents, names, topics and links do nothing"() {
    const all = JSON.parse(readFileSync(new URL("../hostile/contents.json", import.meta.url), "utf8"));
    const api = await login(base, ALICE, PASSWORD);
    const zoo = await api("POST", "/rooms", { name: `zoo-${mark}`, users: [BOB], topic: "<img src=x onerror=alert(1)> [x](javascript:alert(1))" });
    const { page } = bob;
    await room(page, `zoo-${mark}`).click();
    await page.locator(".topic", { hasText: "<img src=x" }).waitFor();
    await api("PATCH", "/users/me", { display_name: "<svg onload=alert(1)>", bio: all[0] });
    let refused = 0;
    for (const [n, content] of all.entries()) {
      // Some the server does not take.
      await api("POST", `/rooms/${zoo.room}/messages`, { content }).catch(() => { refused += 1; });
      if (n % 50 !== 49 && n !== all.length - 1) continue;
      await api("POST", `/rooms/${zoo.room}/messages`, { content: `so far ${n}` });
      await shows(page, `so far ${n}`);
      const found = await page.evaluate(() => ({
        elements: [...document.querySelectorAll(".text :is(script, img, svg:not(.i), iframe, object, embed, form, input:not([type=checkbox]), style, link, meta, base, video, audio, math, template, details)")].map((one) => one.outerHTML),
        handlers: [...document.querySelectorAll(".text *")].flatMap((one) => [...one.attributes]).filter(({ name }) => /^on|^style$/.test(name)).map(({ name }) => name),
        links: [...document.querySelectorAll(".text a[href]")].map((one) => one.href).filter((href) => !/^(https?|mailto):/.test(href)),
        names: [...document.querySelectorAll(".text :is([id], [name])")].map((one) => one.outerHTML),
        pwned: window.pwned,
        over: [document.documentElement, document.querySelector(".timeline")].some((box) => box.scrollWidth > box.clientWidth + 1),
      }));
      assert.deepEqual(found, { elements: [], handlers: [], links: [], names: [], pwned: undefined, over: false }, `up to ${n}`);
    }
    await api("PATCH", "/users/me", { display_name: "" });
    console.log(`  (${all.length} hostile contents, of which the server took ${all.length - refused})`);
    assert(refused < 10);
  },

  async "a screen reader reads the conversation as a text"() {
    const { page } = alice;
    await room(page, "general").click();
    await write(page, "words to be heard");
    await shows(page, "words to be heard");
    const tree = await page.getByRole("log", { name: "Messages" }).ariaSnapshot();
    assert.match(tree, /words to be heard/);
    assert.match(tree, new RegExp(ALICE));
  },
});
