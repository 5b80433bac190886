// What goes wrong at the edges: doors that are shut, rooms that are closed, servers that do not answer, windows that are narrow.
import assert from "node:assert/strict";
import { PASSWORD, press, type, withoutStorage } from "./hands.mjs";
import { away, composer, connected, dialog, enter, faultsOf, login, message, room, shows, signOut, texts, tryNow, write } from "./web-hands.mjs";

export default ({ base, mark, alice, bob, ALICE, BOB, open, watch, picture, server, DIST }) => ({
  async "what was refused of a login does not stand under the form to register, which says the rule for names"() {
    const { page, context } = await open();
    const rule = page.getByText("3 to 50 characters: letters A to Z, digits, _ and -"), wrong = page.getByRole("alert").getByText("Name or password is not right");
    await enter(page, `nobody_${mark}`, PASSWORD);
    await wrong.waitFor();
    assert(await rule.isHidden());
    await page.getByRole("button", { name: "Register" }).click();
    await rule.waitFor();
    await wrong.waitFor({ state: "detached" });
    await enter(page, "admin", PASSWORD, { isNew: true });
    await page.getByRole("alert").waitFor();
    await page.locator("#username:focus").waitFor(); // what is wrong with is at hand
    await page.getByRole("button", { name: "Sign in" }).click();
    await rule.waitFor({ state: "detached" });
    await context.close();
  },

  async "where registration is closed, the page says so and offers none"() {
    if (DIST) return console.log("  (not with DIST: the server's own page is looked at)");
    const { page, context } = await open({ extraHTTPHeaders: { via: "1.1 proxy" } }); // who comes by a proxy is not of this machine
    await page.getByText("Registration is closed here").waitFor();
    assert.equal(await page.getByRole("button", { name: "Register" }).count(), 0);
    await picture(page, "door-closed");
    await context.close();
  },

  async "who I am is on the screen, and a reload keeps the login and what there is to read"() {
    for (const [{ page }, name] of [[alice, ALICE], [bob, "Bob B."]]) await page.locator(".me", { hasText: name }).waitFor();
    const { page } = alice;
    await room(page, "general").click();
    await write(page, "before the reload");
    await shows(page, "before the reload");
    const before = (await texts(page)).slice(-10);
    await page.reload();
    await connected(page);
    await shows(page, "before the reload");
    assert.deepEqual((await texts(page)).slice(-10), before);
  },

  async "replies that came after their first message was kept stand under it after reloads, too"() {
    const api = await login(base, ALICE, PASSWORD), { page, context } = bob, first = `who comes? ${mark}`;
    await room(page, "general").click();
    const { id: thread } = await api("POST", "/rooms/general/messages", { content: first });
    const under = (count) => message(page, first).getByRole("button", { name: count }).waitFor();
    await shows(page, first);
    for (const [content, count] of [["I do", "1 reply"], ["me, too", "2 replies"]]) {
      await api("POST", "/rooms/general/messages", { content, thread });
      await under(count);
      await context.setOffline(true); // what is there is kept when the line is cut
      await away(page);
      await context.setOffline(false);
      await tryNow(page);
      for (let turn = 0; turn < 2; turn++) {
        await page.reload();
        await connected(page);
        await under(count);
      }
    }
  },

  async "a menu closes on Escape, which gives the focus back, and on a click beside it"() {
    const { page } = alice;
    const opener = page.getByRole("button", { name: "More about this room" }), menu = page.getByRole("menu");
    await opener.click();
    await menu.waitFor();
    await press(page, "ArrowDown", "Escape");
    await menu.waitFor({ state: "detached" });
    await opener.and(page.locator(":focus")).waitFor();
    await opener.click();
    await menu.waitFor();
    await page.mouse.click(700, 400);
    await menu.waitFor({ state: "detached" });
  },

  async "whoever clicks on Send goes on writing, and a message that cannot be had is said so"() {
    const { page } = alice;
    await composer(page).click();
    await type(page, "by a click");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await composer(page).and(page.locator(":focus")).waitFor();
    await type(page, "and on");
    await press(page, "Enter");
    for (const text of ["by a click", "and on"]) await shows(page, text);
    await page.goto(`${base}/r/nowhere-${mark}`);
    await page.getByText("There is no such room, or you may not see it.").waitFor();
    await room(page, "general").click();
  },

  async "what a message answers stands with it, as it now is"() {
    const api = await login(base, ALICE, PASSWORD);
    const first = await api("POST", "/rooms/general/messages", { content: `shall we? ${mark}` });
    const { page } = bob;
    await room(page, "general").click();
    await shows(page, `shall we? ${mark}`);
    await message(page, `shall we? ${mark}`).last().hover();
    await page.getByRole("button", { name: "Quote" }).click();
    await page.getByText("Quoting").waitFor();
    await type(page, "we shall");
    await press(page, "Enter");
    const quote = (words) => message(page, "we shall").last().locator(".quote", { hasText: words });
    await quote(`shall we? ${mark}`).waitFor();
    await api("PATCH", `/rooms/general/messages/${first.id}`, { content: `shall we go? ${mark}` });
    await quote(`shall we go? ${mark}`).waitFor();
    await quote("shall we go?").click(); // it leads there
    await page.locator(`article[data-id='${first.id}'].found`).waitFor();
    await page.reload();
    await connected(page);
    await quote(`shall we go? ${mark}`).waitFor();
    await api("DELETE", `/rooms/general/messages/${first.id}`);
    await quote("a deleted message").waitFor();
  },

  async "what is written on two devices at once stays on both, and each offers what the other has"() {
    const [desk, phone] = [bob, await open()], name = `both-${mark}`, label = `#${name}`;
    await (await login(base, BOB, PASSWORD))("POST", "/rooms", { name, kind: "private" });
    await enter(phone.page, BOB, PASSWORD);
    await connected(phone.page);
    for (const { page } of [desk, phone]) {
      await room(page, name).click();
      await composer(page, label).click();
    }
    await type(phone.page, "from the phone");
    await type(desk.page, "from the desk");
    for (const [{ page }, own, other] of [[desk, "from the desk", "from the phone"], [phone, "from the phone", "from the desk"]]) {
      await page.locator(".answer", { hasText: "Written on another device" }).getByText(other).waitFor();
      assert.equal(await composer(page, label).inputValue(), own);
    }
    await phone.page.getByRole("button", { name: "Put it here" }).click();
    for (const { page } of [desk, phone]) {
      await page.locator(".answer").waitFor({ state: "detached" });
      assert.equal(await composer(page, label).inputValue(), "from the phone\nfrom the desk");
    }
    await press(phone.page, "Enter");
    for (const { page } of [desk, phone]) {
      await message(page, "from the phone").waitFor();
      await composer(page, label).and(page.locator(".empty")).waitFor();
    }
    await phone.context.close();
    await room(desk.page, "general").click();
  },

  async "one sentence says why nothing can be written, and none when that is over; no word of what was begun is lost"() {
    const api = await login(base, ALICE, PASSWORD);
    const name = `cellar-${mark}`, { page } = bob;
    const { room: key } = await api("POST", "/rooms", { name, kind: "private", users: [BOB] });
    await room(page, name).click();
    await composer(page, `#${name}`).waitFor();
    const closed = page.locator(".composer-wrap .closed"), under = page.locator(".composer-wrap .under");
    await api("PATCH", `/rooms/${key}`, { slow_seconds: 60 });
    await write(page, "the first", `#${name}`);
    await shows(page, "the first");
    await write(page, "the second", `#${name}`);
    await under.getByText(/Slow room: you can send again in \d+ s/).waitFor();
    await message(page, "the second").getByText(/Slow room: goes out in \d+ s/).waitFor();
    await type(page, "half a thought");
    await api("DELETE", `/rooms/${key}/members/${BOB}`);
    await closed.getByText("You are not in this room any more").waitFor();
    await message(page, "the second").getByText("Not sent: you are not in this room any more").waitFor();
    assert.equal(await under.getByText("Slow room").count(), 0);
    await api("POST", `/rooms/${key}/messages`, { content: "among us" });
    await picture(page, "gone");
    await api("PATCH", `/rooms/${key}`, { slow_seconds: 0 });
    await api("PUT", `/rooms/${key}/members/${BOB}`);
    await closed.waitFor({ state: "detached" });
    await shows(page, "among us"); // whoever is in reads all of it
    assert.equal(await composer(page, `#${name}`).inputValue(), "half a thought");
    await api("PATCH", `/rooms/${key}`, { archived: true });
    await closed.getByText("archived").waitFor();
    assert.equal(await page.locator(".composer-wrap textarea").count(), 0);
    await api("PATCH", `/rooms/${key}`, { archived: false });
    await closed.waitFor({ state: "detached" });
    assert.equal(await composer(page, `#${name}`).inputValue(), "half a thought");
    await composer(page, `#${name}`).click();
    await press(page, "Enter");
    await shows(page, "half a thought");
    await message(page, "the second").getByRole("button", { name: "Delete" }).click();
    await room(page, "general").click();
  },

  async "who comes back finds each room as it is: what is unread is counted, what was changed is changed, nothing is twice"() {
    const api = await login(base, ALICE, PASSWORD);
    const name = `field-${mark}`, { page, context } = bob;
    const field = await api("POST", "/rooms", { name, kind: "private", users: [BOB] });
    const early = await api("POST", `/rooms/${field.room}/messages`, { content: "early" });
    await room(page, name).click();
    await shows(page, "early");
    await room(page, name).getByText(/unread/).waitFor({ state: "detached" }); // it is read
    await room(page, "general").click();
    await composer(page).waitFor();
    await context.setOffline(true);
    await page.getByText("You are offline.").waitFor();
    for (let n = 0; n < 205; n++) await api("POST", `/rooms/${field.room}/messages`, { content: `${n} ${"gone ".repeat(200)}` }); // more than one answer holds
    await api("PATCH", `/rooms/${field.room}/messages/${early.id}`, { content: "changed meanwhile" });
    const shed = await api("POST", "/rooms", { name: `barn-${mark}`, kind: "private", users: [BOB] });
    await api("POST", `/rooms/${shed.room}/messages`, { content: "in the barn" });
    await context.setOffline(false);
    await connected(page);
    await room(page, name).getByText("205 unread").waitFor({ state: "attached" });
    await room(page, `barn-${mark}`).click();
    await shows(page, "in the barn");
    await room(page, name).click();
    await shows(page, "changed meanwhile"); // it opens where one has stopped reading
    const seen = new Set();
    await page.locator(".timeline-wrap .timeline").hover();
    for (let turns = 0; turns < 400 && !seen.has(204); turns++) {
      const away = (await texts(page)).filter((one) => one.includes("gone ")).map((one) => parseInt(one, 10));
      assert.deepEqual(away, away.map((_, index) => away[0] + index), "missing, twice or out of order");
      for (const one of away) seen.add(one);
      await page.mouse.wheel(0, 2_500);
      await page.waitForTimeout(30);
    }
    assert.equal(seen.size, 205);
    await room(page, "general").click();
  },

  async "what can be no room's name is told the rule, and no name turns a sentence round"() {
    const { page } = bob;
    await page.getByRole("button", { name: "Browse or make a room" }).click();
    await dialog(page, "Rooms").getByRole("link", { name: "Make one" }).click();
    const said = dialog(page, "Rooms").getByRole("alert");
    for (const wrong of ["ÄRGER", "\u212aelvin\u202e", "x".repeat(70), "ab\u202ecd", "4711471147114711", "two.words"]) {
      await press(page, "Control+A");
      await type(page, wrong);
      await press(page, "Enter");
      await said.getByText("Only a to z, digits, - and _, with a letter in it; 64 at most.").waitFor();
      assert(!(await said.textContent()).includes("\u202e"));
      await press(page, "End", "Backspace");
      await said.waitFor({ state: "detached" });
    }
    await press(page, "Escape");
    await page.getByRole("button", { name: "Write to someone" }).click();
    await type(page, `nobody\u202e${mark}`);
    await dialog(page, "New message").getByText("Nobody of that name is here.").waitFor();
    await press(page, "Escape");
  },

  async "signing out from a server that does not answer, or is gone, ends at the door and says what is left"() {
    const { context, page } = await open();
    const name = `parting_${mark}`;
    for (const [deed, undone] of [["pause", "resume"], ["kill", "start"]]) {
      await enter(page, name, PASSWORD, { isNew: deed === "pause" });
      await connected(page);
      await composer(page).click();
      await server(deed);
      await signOut(page);
      if (deed === "pause") await page.locator(".main textarea.write:disabled").waitFor(); // no word can be written that goes nowhere
      await page.getByRole("alert").getByText("the server could not be told").waitFor();
      await page.getByLabel("Name", { exact: true }).click({ trial: true });
      await server(undone);
    }
    await context.close();
    for (const one of [alice, bob]) await connected(one.page);
  },

  async "signing out ends it quietly here, and with a word in the other tab"() {
    const { context, page } = await open();
    await enter(page, `leaver_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    const other = await context.newPage();
    await other.goto(base);
    await connected(other);
    await page.reload(); // the line is the other tab's now, and the server closes it
    await connected(page);
    await signOut(page);
    await other.getByRole("alert").getByText("signed out in another tab").waitFor();
    await page.getByLabel("Name", { exact: true }).waitFor();
    assert.equal(await page.getByRole("alert").count(), 0); // here it was asked for
    for (const tab of [page, other]) assert.equal(await tab.evaluate(() => localStorage.getItem("parlour.who")), null);
    await context.close();
  },

  async "whoever is at the end of a room or a thread stays there while the field grows and shrinks and lines come above it"() {
    const { page, context } = await open({ viewport: { width: 1440, height: 620 } });
    const name = `ends_${mark}`;
    await enter(page, name, PASSWORD, { isNew: true });
    await connected(page);
    const own = await login(base, name, PASSWORD), { room: key } = await own("POST", "/rooms", { name: `ends-${mark}` });
    const first = await own("POST", `/rooms/${key}/messages`, { content: "the first of all" });
    for (const thread of [undefined, first.id]) {
      for (let n = 0; n < 12; n++) await own("POST", `/rooms/${key}/messages`, { content: `line ${n} ${"word ".repeat(20)}`, thread });
    }
    await page.goto(`${base}/r/${key}/t/${first.id}`);
    for (const [where, field] of [[".main", composer(page, `#ends-${mark}`)], [".pane", page.getByLabel("Message to the thread")]]) {
      const last = message(page, "line 11", where), height = () => page.locator(`${where} .timeline`).evaluate((one) => one.clientHeight);
      const atEnd = (than, grows) => page.waitForFunction(([where, than, grows]) => {
        const frame = document.querySelector(`${where} .timeline`), box = [...frame.querySelectorAll("article[data-id]")].at(-1).getBoundingClientRect(), end = frame.getBoundingClientRect().bottom;
        const isNew = grows ? frame.clientHeight < than : frame.clientHeight > than;
        return isNew && box.bottom <= end + 1 && box.bottom > end - 60;
      }, [where, than, grows]);
      await last.waitFor();
      await field.click();
      let at = await height();
      for (const line of "one two three four five six".split(" ")) {
        await type(page, `${line}\n`);
        await atEnd(at, true);
        at = await height();
      }
      await press(page, "Control+A", "Delete");
      await atEnd(at, false);
      at = await height();
      await press(page, "/"); // a list over it takes no room; what a command answers does
      await type(page, "nothing");
      await press(page, "Enter");
      await page.locator(`${where} .answer`).waitFor();
      await atEnd(at, true);
      at = await height();
      await press(page, "Control+A", "Delete");
      await atEnd(at, false);
    }
    await context.close();
  },

  async "a long name is cut where it stands beside other things, and pushes nothing out of sight"() {
    const wide = "W".repeat(64), name = `long_${mark}`;
    const { page, context } = await open({ viewport: { width: 390, height: 844 } });
    await enter(page, name, PASSWORD, { isNew: true });
    await connected(page);
    const [own, other] = [await login(base, name, PASSWORD), await login(base, ALICE, PASSWORD)];
    await own("PATCH", "/users/me", { display_name: wide });
    const { room: key } = await own("POST", "/direct", { users: [ALICE] });
    const said = await own("POST", `/rooms/${key}/messages`, { content: "said by a long name" });
    await own("PUT", `/rooms/${key}/messages/${said.id}/pin`);
    await other("POST", `/rooms/${key}/messages`, { content: "answered", reply_to: said.id });
    await page.goto(`${base}/r/${key}`);
    const quote = page.locator("article .quote"), pinned = page.locator(".pane .hit");
    for (const [width, height] of [[320, 600], [390, 844], [1440, 900]]) {
      await page.setViewportSize({ width, height });
      await quote.locator(`b[title="${wide}"]`).waitFor();
      const words = await quote.locator(".cut").boundingBox(), box = await quote.boundingBox();
      assert(words.width > 40 && words.x + words.width <= box.x + box.width + 1, `the quoted words are out of sight, ${width} wide`);
      await page.getByRole("button", { name: "More about this room" }).click();
      await page.getByRole("menuitem", { name: "Pinned messages" }).click();
      await pinned.locator(`b[title="${wide}"]`).waitFor();
      for (const area of [".main .timeline", ".sidebar", ".pane", ".head"]) {
        const over = await page.locator(area).first().evaluate((one) => one.scrollWidth - one.clientWidth);
        assert(over <= 0, `${area} is ${over} pixels too wide, ${width} wide`);
      }
      await press(page, "Escape");
      await pinned.waitFor({ state: "detached" });
    }
    await context.close();
  },

  async "towers of accents stay within their own message"() {
    const { page } = alice;
    await room(page, "general").click();
    await write(page, "a neighbour above");
    await shows(page, "a neighbour above");
    await write(page, "one between");
    await shows(page, "one between");
    await page.mouse.move(5, 5);
    const neighbour = message(page, "a neighbour above").last().locator(".text"), before = await neighbour.screenshot();
    const tower = `Z${"\u0301".repeat(60)}algo`;
    await write(page, tower);
    await message(page, "algo").last().and(page.locator("[data-id]")).waitFor();
    const between = message(page, "one between").last().locator(".text");
    await between.waitFor();
    assert(before.equals(await neighbour.screenshot()), "they paint over the message above");
  },

  async "it fits a watch: the door, the longest name and the longest word, and being offline"() {
    const { page, context } = await open();
    const fits = async (what) => {
      const over = await page.evaluate(() => [document.documentElement, document.querySelector(".timeline")].some((box) => box && box.scrollWidth > box.clientWidth));
      assert(!over, `${what} scrolls sideways`);
    };
    await page.setViewportSize({ width: 240, height: 320 });
    await fits("the door");
    await picture(page, "door-240");
    await enter(page, `long_${mark}_`.padEnd(50, "W"), PASSWORD, { isNew: true });
    await composer(page).waitFor();
    await write(page, "W".repeat(300));
    for (const [width, height] of [[240, 320], [320, 500], [390, 844], [1440, 900]]) {
      await page.setViewportSize({ width, height });
      await fits(`${width} wide`);
      await composer(page).click({ trial: true });
      await picture(page, `long-${width}`);
    }
    await context.setOffline(true);
    await page.getByText("You are offline.").waitFor();
    await page.setViewportSize({ width: 240, height: 320 });
    await fits("being offline");
    await picture(page, "offline-240");
    await context.close();
  },

  async "where the browser keeps no data, the page says what to do"() {
    if (DIST) return console.log("  (not with DIST: the server's own page is looked at)");
    await withoutStorage(async (context) => {
      context.on("page", watch);
      const page = await context.newPage();
      await page.goto(base);
      await page.getByRole("alert").getByText("Allow cookies and site data").waitFor();
      assert.deepEqual(await faultsOf(page, "blocked"), []);
      await picture(page, "blocked");
    });
  },

  async "the documents show themselves"() {
    const page = await alice.context.newPage();
    await page.goto(`${base}/docs`);
    await page.locator(".swagger-ui .info .title").getByText("Parlour").waitFor();
    await page.locator(".swagger-ui .opblock").first().waitFor();
    await page.goto(`${base}/redoc`);
    await page.getByRole("heading", { name: /Parlour/ }).first().waitFor();
    await page.getByPlaceholder("Search").click();
    await type(page, "log");
    await page.getByRole("search").getByRole("menu").getByRole("menuitem").first().waitFor();
    await page.close();
  },
});
