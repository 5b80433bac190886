// Many rooms on the page: making, joining and leaving them, direct messages, what comes while one looks elsewhere.
import assert from "node:assert/strict";
import { PASSWORD, complaints, composer, connected, enter, ids, press, shows, state, tabTo, texts, type } from "./hands.mjs";

export default ({ base, browser, mark, open, picture, server, answers }) => {
  const [ANNA, BERT] = [`anna_${mark}`, `bert_${mark}`], GARDEN = `garden-${mark}`, SHED = `shed-${mark}`, CELLAR = `cellar-${mark}`;
  const list = (page) => page.getByRole("navigation", { name: "Rooms" });
  const room = (page, name) => list(page).getByRole("button", { name });
  const unread = (page, name, number) => list(page).getByRole("button", { name: `${name} ${number} new message` }).waitFor();
  const isIn = (page, name) => page.locator("#list [aria-current=true]", { hasText: name }).waitFor();
  const gone = (page) => page.getByRole("alert").getByText("You are not in this room any more");
  const text = (page) => page.locator("#text").inputValue();
  let anna, bert, garden, cellar; // two people, and the keys of two rooms

  async function api(page, method, path, body) { // past the page, as another program of theirs would
    const { access_token: access } = await page.evaluate(() => JSON.parse(localStorage.getItem("parlour.login")));
    const headers = { Authorization: `Bearer ${access}`, "Content-Type": "application/json" };
    const answer = await fetch(`${base}/api/rooms${path && `/${path}`}`, { method, headers, body: body && JSON.stringify(body) });
    assert(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.status === 204 ? null : answer.json();
  }
  const post = (page, where, content) => api(page, "POST", `${where}/messages`, { content });

  return {
    async "a room is made and joined by its name, and talked in, with keys alone"() {
      [anna, bert] = [await open(browser), await open(browser, { colorScheme: "dark" })];
      for (const [{ page }, name] of [[anna, ANNA], [bert, BERT]]) {
        await enter(page, name, PASSWORD, { isNew: true });
        await connected(page);
        await tabTo(page, page.getByLabel("Join or make a room"), "Shift+Tab");
        await type(page, name === ANNA ? GARDEN : `#${GARDEN.toUpperCase()}`);
        await press(page, "Enter");
        if (name === ANNA) {
          await page.getByRole("alert").getByText(`no room called “${GARDEN}”`).waitFor();
          await tabTo(page, page.getByRole("button", { name: "Make it public" }));
          await press(page, "Enter");
        }
        await isIn(page, GARDEN);
        await page.locator("#text:focus").waitFor();
        await type(page, `${name} is here`);
        await press(page, "Enter");
      }
      for (const { page } of [anna, bert])
        for (const name of [ANNA, BERT]) await shows(page, `${name} is here`);
      await tabTo(bert.page, room(bert.page, "general"), "Shift+Tab");
      await press(bert.page, "Enter");
      await isIn(bert.page, "general");
      assert(!(await texts(bert.page)).includes(`${ANNA} is here`), "each room has its own messages");
      garden = (await api(anna.page, "GET", GARDEN)).room;
    },

    async "a public room is joined by a click, and whoever clicks on Send goes on writing"() {
      const { page, context } = bert, name = `open-${mark}`, public_ = list(page).getByText("Public rooms");
      const { room: key } = await api(anna.page, "POST", "", { name, kind: "public" });
      await public_.click();
      const offers = page.getByRole("list", { name: "Public rooms to join" }).getByRole("button");
      await offers.getByText(`# ${name}`).waitFor();
      assert.deepEqual((await offers.allTextContents()).filter((one) => one.includes(GARDEN)), [], "bert is in there");
      await context.route("**/messages?limit=*", (route) => route.abort());
      await offers.getByText(`# ${name}`).click();
      await isIn(page, name);
      await page.locator("#text:focus").waitFor();
      const notice = page.locator("#notice");
      await notice.getByText("The server cannot be reached.").waitFor();
      await context.unroute("**/messages?limit=*");
      await room(page, "general").click();
      await room(page, name).click();
      await notice.waitFor({ state: "hidden" }); // its cause is over
      await type(page, "by a click");
      await page.getByRole("button", { name: "Send" }).click();
      await shows(page, "by a click");
      await type(page, "and on");
      await api(anna.page, "PATCH", key, { slow_seconds: 2 });
      await press(page, "Enter");
      await shows(page, "and on");
      await type(page, "too soon");
      await page.getByRole("button", { name: "Send" }).click();
      await notice.getByText(/This room is in slow mode: you can write again in \d seconds?\. What you wrote is sent then\./).waitFor();
      await shows(page, "too soon");
      await notice.waitFor({ state: "hidden" });
      await room(page, "general").click();
    },

    async "a direct message has its mark while one looks elsewhere, and each room keeps what is being written in it"() {
      await room(bert.page, GARDEN).click();
      await type(bert.page, "half a thought");
      await anna.page.getByLabel("New direct message").click();
      await type(anna.page, `nobody_${mark}`);
      await press(anna.page, "Enter");
      await list(anna.page).getByRole("alert").getByText(/no user|not found|no such|nobody/i).waitFor();
      await press(anna.page, "Control+A");
      await type(anna.page, BERT);
      await press(anna.page, "Enter");
      await isIn(anna.page, BERT);
      await write(anna.page, "psst");
      await unread(bert.page, `direct messages with ${ANNA}`, 1);
      assert.equal(await bert.page.title(), "(1) Parlour");
      await picture(bert.page, "rooms-mark");
      await tabTo(bert.page, room(bert.page, ANNA), "Shift+Tab");
      await press(bert.page, "Space");
      await shows(bert.page, "psst");
      assert.equal(await text(bert.page), "", "what was written elsewhere stands in a direct message");
      assert.equal(await bert.page.title(), "Parlour");
      await write(bert.page, "yes?");
      await shows(anna.page, "yes?");
      answers.set(bert.page, "accept"); // it asks, for what is written elsewhere
      await bert.page.reload();
      answers.delete(bert.page);
      await connected(bert.page);
      await isIn(bert.page, ANNA);
      assert.deepEqual((await texts(bert.page)).slice(-2), ["psst", "yes?"]);
      await room(bert.page, GARDEN).click();
      assert.equal(await text(bert.page), "half a thought");
    },

    async "an edit, a deletion and a new topic show at once, and are text"() {
      const hostile = "<img src=x onerror=alert(1)> &lt;b&gt;";
      await room(anna.page, GARDEN).click();
      const [said, regretted] = [await post(anna.page, garden, "said"), await post(anna.page, garden, "regretted")];
      for (const { page } of [anna, bert]) await shows(page, "regretted");
      await api(anna.page, "PATCH", `${garden}/messages/${said.id}`, { content: hostile });
      await api(anna.page, "DELETE", `${garden}/messages/${regretted.id}`);
      await api(anna.page, "PATCH", garden, { topic: hostile });
      const look = async (page) => {
        await shows(page, hostile);
        await page.locator(`li[data-id="${said.id}"]`).getByText("edited", { exact: true }).waitFor();
        await page.locator(`li[data-id="${regretted.id}"]`).getByText("This message was deleted.").waitFor();
        await page.locator("#topic").getByText(hostile, { exact: true }).waitFor();
        assert(!(await texts(page)).includes("regretted"));
        assert.equal(await page.locator("#chat :is(img, b, script)").count(), 0);
      };
      for (const { page } of [anna, bert]) await look(page);
      await picture(anna.page, "rooms-changed");
    },

    async "what a message answers, who reacted how and that it is pinned stands with it, as it now is"() {
      cellar = (await api(anna.page, "POST", "", { name: CELLAR, kind: "private", users: [BERT] })).room;
      await room(bert.page, CELLAR).click();
      const first = await post(anna.page, cellar, "shall we?");
      const answer = await api(anna.page, "POST", `${cellar}/messages`, { content: "we shall", reply_to: first.id });
      await api(bert.page, "PUT", `${cellar}/messages/${first.id}/reactions/👍`);
      await api(anna.page, "PUT", `${cellar}/messages/${first.id}/pin`);
      const note = (words) => bert.page.locator(`li[data-id="${first.id}"] .edited`).getByText(words, { exact: true }).waitFor();
      const quote = (words) => bert.page.locator(`li[data-id="${answer.id}"] .quote`, { hasText: words }).waitFor();
      for (const reloads of [false, true]) {
        answers.set(bert.page, "accept");
        if (reloads) await bert.page.reload();
        answers.delete(bert.page);
        await note("(pinned) 👍 1");
        await quote(`> ${ANNA}: shall we?`);
      }
      await picture(bert.page, "rooms-quote");
      await api(anna.page, "PATCH", `${cellar}/messages/${first.id}`, { content: "shall we go?" });
      await note("edited (pinned) 👍 1");
      await quote(`> ${ANNA}: shall we go?`);
      await api(bert.page, "DELETE", `${cellar}/messages/${first.id}/reactions/👍`);
      await note("edited (pinned)");
      await api(anna.page, "DELETE", `${cellar}/messages/${first.id}`);
      await quote(`> ${ANNA}: This message was deleted.`);
      assert.equal(await bert.page.locator("#log .edited").getByText("pinned").count(), 0);
    },

    async "one sentence says why nothing can be written, and none when that is over"() {
      const { page } = bert, said = page.locator("#composer .error:visible"), waiting = page.locator("#log li:not([data-id])");
      await connected(page);
      await api(anna.page, "PATCH", cellar, { slow_seconds: 60 });
      await write(page, "one");
      await shows(page, "one");
      await write(page, "two");
      await said.getByText("slow mode").waitFor();
      await api(anna.page, "DELETE", `${cellar}/members/${BERT}`);
      await gone(page).waitFor();
      await picture(page, "rooms-gone-slow");
      assert.equal((await said.allTextContents()).length, 1, `${await said.allTextContents()}`);
      assert.equal(await text(page), "two");
      await api(anna.page, "PATCH", cellar, { slow_seconds: 0 });
      await api(anna.page, "PUT", `${cellar}/members/${BERT}`);
      await gone(page).waitFor({ state: "hidden" });
      assert.deepEqual(await said.allTextContents(), []);
      await api(anna.page, "PATCH", cellar, { archived: true });
      await said.getByText("archived").waitFor();
      await composer(page, CELLAR).click();
      await press(page, "Enter");
      await waiting.waitFor({ state: "detached" }); // it is refused
      assert.equal(await text(page), "two");
      assert.equal((await said.allTextContents()).length, 1, `${await said.allTextContents()}`);
      await api(anna.page, "PATCH", cellar, { archived: false });
      await said.waitFor({ state: "hidden" });
      await press(page, "Enter");
      await shows(page, "two");
      await room(page, GARDEN).click();
    },

    async "what can be no room's name is told the rule, and no sentence is turned round by what it quotes"() {
      const { page } = bert, said = page.locator("#join .error"), rule = /1 to 64 letters A to Z, digits, _ and -/;
      for (const wrong of ["two words", "ÄRGER", "\u212aelvin", "x".repeat(70), "ab\u202ecd", "4711471147114711", "garden_"]) {
        await page.getByLabel("Join or make a room").click();
        await press(page, "Control+A");
        await type(page, wrong);
        await press(page, "Enter");
        await said.getByText(rule).waitFor();
        assert(await page.getByRole("button", { name: "Make it public" }).isHidden(), wrong);
        assert(!(await said.textContent()).includes("\u202e"));
        await press(page, "End", "Backspace");
        await said.waitFor({ state: "hidden" });
      }
      await page.getByLabel("New direct message").click();
      await type(page, "ab\u202ecd");
      await press(page, "Enter");
      const refusal = page.locator("#direct .error");
      await refusal.waitFor();
      assert(!(await refusal.textContent()).includes("\u202e"), await refusal.textContent());
      await press(page, "Control+A", "Delete");
      await room(page, GARDEN).click();
    },

    async "whoever is taken out while writing is told so, and loses no word of it"() {
      const { page } = bert, member = `${garden}/members/${BERT}`;
      await api(anna.page, "DELETE", member);
      await gone(page).waitFor();
      await post(anna.page, garden, "among us");
      await composer(page, GARDEN).click();
      await press(page, "End", "Enter");
      await picture(page, "rooms-gone");
      await room(page, "general").click();
      await gone(page).waitFor({ state: "hidden" });
      await room(page, GARDEN).click();
      await gone(page).waitFor();
      assert.equal(await text(page), "half a thought");
      assert(!(await texts(page)).includes("among us"));
      assert.equal(await page.locator("#log li", { hasText: "not sent yet" }).count(), 0);
      await api(anna.page, "PUT", member);
      await gone(page).waitFor({ state: "hidden" });
      await shows(page, "among us"); // whoever is in reads all of it
      await press(page, "Tab", "Shift+Tab", "Enter");
      await shows(anna.page, "half a thought");
    },

    async "after kill and restart each room goes on, with nothing missing and nothing twice"() {
      await bert.context.route("**/api/auth/ws-ticket", (route) => route.abort()); // bert stays away for longer
      await server("kill");
      for (const { page } of [anna, bert]) await state(page, "Trying again");
      await write(anna.page, "waits in the garden");
      await room(anna.page, BERT).click();
      await write(anna.page, "waits for bert");
      await write(bert.page, "waits with bert");
      await server("start");
      await connected(anna.page);
      const early = (await api(anna.page, "GET", `${garden}/messages?limit=1`))[0].id;
      for (let n = 0; n < 205; n++) await post(anna.page, garden, `${n} ${"away ".repeat(200)}`); // more than one answer holds
      await api(anna.page, "PATCH", `${garden}/messages/${early}`, { content: "changed meanwhile" });
      const shed = await api(anna.page, "POST", "", { name: SHED, kind: "private", users: [BERT] });
      await post(anna.page, shed.room, "in the shed");
      await room(bert.page, "general").click();
      await bert.context.unroute("**/api/auth/ws-ticket");
      await connected(bert.page);
      await unread(bert.page, GARDEN, 206);
      await unread(bert.page, ANNA, 1);
      for (const [name, last] of [[GARDEN, "changed meanwhile"], [ANNA, "waits for bert"], [SHED, "in the shed"]]) {
        await room(bert.page, name).click();
        await shows(bert.page, last);
        const numbers = await ids(bert.page);
        assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b), `twice or out of order in ${name}`);
      }
      await room(anna.page, GARDEN).click();
      for (const { page } of [bert, anna]) {
        await room(page, GARDEN).click();
        await shows(page, "waits with bert");
        const seen = await texts(page), away = seen.filter((one) => one.includes("away "));
        assert.deepEqual(away.map((one) => parseInt(one, 10)), Array.from({ length: 205 }, (_, n) => n));
        assert.equal(seen.filter((one) => one === "waits with bert").length, 1);
      }
    },

    async "rooms that the first frame leaves out are there all the same, and what is late changes nothing that is newer"() {
      const { page, context } = await open(browser), alias = `also-${mark}`;
      const asked = []; // the frames `sync` of the page
      let line, change, held; // the line; what is done to its first frame; frames that are held back, if they are
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
          const isHeld = held && frame.type === "room" && frame.changed;
          isHeld ? held.push(words) : mine.send(JSON.stringify(frame));
        });
      });
      const direct = (await api(bert.page, "GET", "")).find(({ kind }) => kind === "direct").room;
      const leaveOut = (frame) => {
        frame.rooms = frame.rooms.filter(({ kind }) => kind !== "direct");
        frame.more_rooms = 1;
      };
      await api(anna.page, "POST", "", { name: alias, kind: "private", users: [BERT] });
      change = leaveOut;
      await page.reload();
      await enter(page, BERT, PASSWORD);
      await connected(page);
      await room(page, ANNA).waitFor();
      await post(anna.page, direct, "to whom was left out");
      await unread(page, `direct messages with ${ANNA}`, 1);

      const touched = await page.evaluateHandle(() => { // the entries of the list that are drawn again
        const buttons = new Set();
        const see = ({ target }) => buttons.add(target.closest("button")?.textContent.replace(/\d.*/, "") ?? "the list");
        new MutationObserver((all) => all.forEach(see)).observe(document.getElementById("list"), { childList: true, subtree: true });
        return buttons;
      });
      for (let n = 0; n < 20; n++) await post(anna.page, direct, `more ${n}`);
      await list(page).getByRole("button", { name: `direct messages with ${ANNA} 21 new messages` }).waitFor();
      assert.equal((await touched.evaluate((all) => [...all])).length, 1, "a message changes the entry of its own room alone");

      held = []; // hidden on another device, which is told late: a newer message has brought the room back
      await api(bert.page, "PUT", `${direct}/hidden`);
      while (held.length === 0) await page.waitForTimeout(20);
      await post(anna.page, direct, "back again");
      await list(page).getByRole("button", { name: `direct messages with ${ANNA} 22 new messages` }).waitFor();
      held.splice(0).forEach((words) => line.send(words));
      held = undefined;
      await api(anna.page, "PATCH", GARDEN, { topic: "after it" }); // comes after what was late
      await room(page, GARDEN).click();
      await page.locator("#topic").getByText("after it").waitFor();
      await room(page, ANNA).click();
      await shows(page, "back again");

      change = (frame) => { // many rooms, and a server that takes short frames
        frame.rooms.push(...Array.from({ length: 60 }, (_, n) => ({ room: String(2 ** 50 + n), name: `none-${n}`, kind: "private", seq: 2 ** 40 })));
        frame.limits.frame_bytes = 1_024;
      };
      asked.length = 0;
      line.close({ code: 1001 });
      await state(page, "Trying again");
      await connected(page);
      assert(asked.every((words) => words.length <= 1_024), `of ${asked.map((words) => words.length)} bytes`);
      const rooms = asked.flatMap((words) => Object.keys(JSON.parse(words).rooms));
      assert.equal(new Set(rooms).size, rooms.length);
      assert(rooms.length > 60, `${rooms.length} were asked for`);
      await shows(page, "back again");

      change = (frame) => { // another history, without the direct room
        leaveOut(frame);
        frame.epoch = "another";
      };
      await context.route("**/api/rooms", async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, json: (await answer.json()).filter(({ kind }) => kind !== "direct") });
      });
      line.close({ code: 1001 });
      await gone(page).waitFor();
      assert.deepEqual(await texts(page), [], "messages of a history that is no more");
      await context.close();
      for (const name of [ANNA, GARDEN]) await room(bert.page, name).click();
    },

    async "on a phone the rooms are a press away, and on every screen axe finds nothing wrong with them"() {
      const { page } = bert, rooms = page.getByRole("button", { name: "Rooms. You are in" });
      await page.setViewportSize({ width: 390, height: 844 });
      assert(await list(page).isHidden());
      await rooms.click();
      await room(page, ANNA).waitFor();
      await press(page, "Escape");
      await list(page).waitFor({ state: "hidden" });
      await page.locator("#switch:focus").waitFor();
      await press(page, "Enter");
      await tabTo(page, room(page, "general"));
      await press(page, "Enter");
      await list(page).waitFor({ state: "hidden" });
      await rooms.getByText("# general").waitFor();
      await write(page, "from a phone");
      await shows(page, "from a phone");
      await room(anna.page, BERT).click();
      await write(anna.page, "for the phone");
      await rooms.getByText("1 new message").click();
      await unread(page, ANNA, 1);
      for (const colorScheme of ["light", "dark"])
        for (const [width, height] of [[390, 844], [768, 1024], [1440, 900]]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height });
          assert.deepEqual(await complaints(page), [], `${colorScheme}, ${width} wide`);
          await picture(page, `rooms-${colorScheme}-${width}`);
        }
      await anna.context.close();
      await bert.context.close();
    },
  };
};

// Writes in the room that is on the screen.
async function write(page, words) {
  await page.locator("#text").click();
  await type(page, words);
  await press(page, "Enter");
}
