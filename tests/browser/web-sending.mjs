// Honest sending: what waits, what was cut off, what was refused, in one tab and in several, before and after a reload.
import assert from "node:assert/strict";
import { PASSWORD, empty, press, type } from "./hands.mjs";
import { away, composer, connected, dialog, enter, ids, inOrder, login, message, once, room, shows, signOut, texts, tryNow, write } from "./web-hands.mjs";

export default ({ base, hurried, mark, alice, bob, ALICE, BOB, open, picture, server, DIST }) => ({
  async "who is offline goes on writing; after a reload and a return each message is there once, in order"() {
    const { page, context } = bob;
    // The page can be had without a connection from the moment on at which its worker has kept all of it.
    if (!DIST) await page.waitForFunction(() => navigator.serviceWorker.getRegistration().then((found) => found?.active?.state === "activated"));
    await context.setOffline(true);
    await page.getByText("You are offline.").waitFor();
    for (const text of ["offline one", "offline two", "offline three"]) await write(page, text);
    await page.getByText("You are offline. 3 wait for the connection.").waitFor();
    await page.getByRole("button", { name: "3 wait for the connection" }).waitFor();
    await message(page, "offline two").getByText("Waits for the connection").waitFor();
    await picture(page, "offline");
    if (!DIST) { // the page itself is there without a connection
      await page.reload();
      await message(page, "offline three").waitFor();
    }
    await page.route("**/api/auth/ws-ticket", (route) => route.abort()); // the page can be had, and the server not yet
    await context.setOffline(false);
    await page.reload();
    await message(page, "offline three").waitFor();
    inOrder(await texts(page), ["offline one", "offline two", "offline three"]);
    await write(alice.page, "said meanwhile");
    await shows(alice.page, "said meanwhile");
    await page.unroute("**/api/auth/ws-ticket");
    await tryNow(page);
    for (const one of [page, alice.page]) {
      await shows(one, "offline three");
      inOrder(await texts(one), ["said meanwhile", "offline one", "offline two", "offline three"]);
    }
    await page.getByRole("button", { name: /wait for the connection|not sent/ }).waitFor({ state: "detached" });
  },

  async "the server is killed and started again under both: nothing is missing, nothing is twice"() {
    await bob.context.route("**/api/auth/ws-ticket", (route) => route.abort()); // bob stays away for longer
    await server("kill");
    for (const { page } of [alice, bob]) await away(page);
    await alice.page.getByText("Reconnecting.").waitFor();
    await write(alice.page, "written while it was gone");
    await write(alice.page, "and one more");
    await message(alice.page, "and one more").getByText("Waits for the connection").waitFor();
    await server("start");
    await connected(alice.page);
    for (const text of ["written while it was gone", "and one more"]) await shows(alice.page, text);
    const api = await login(base, ALICE, PASSWORD);
    for (let n = 0; n < 620; n++) await api("POST", "/rooms/general/messages", { content: `away ${n}` });
    await bob.context.unroute("**/api/auth/ws-ticket");
    await tryNow(bob.page); // who was away for long need not wait
    await write(bob.page, "back again");
    await bob.page.keyboard.press("End");
    for (const { page } of [alice, bob]) {
      await shows(page, "back again");
      // What one wrote oneself stands at the end as soon as it is stored, perhaps before all that was missed has come.
      await shows(page, "away 619");
      await page.waitForFunction(() => {
        const numbers = [...document.querySelectorAll(".timeline-wrap [data-id]")].map((one) => Number(one.dataset.id));
        return numbers.every((id, index) => id === numbers[0] + index);
      }).catch(() => {});
      const numbers = await ids(page);
      assert.deepEqual(numbers, numbers.map((_, index) => numbers[0] + index), "messages are missing, twice or out of order");
    }
    // All of it is there, above. The page itself keeps what is drawn, frame by frame: on a slow machine many come between two looks.
    await bob.page.evaluate(() => {
      [window.drawn, window.holes] = [new Set(), []];
      const look = () => {
        const all = [...document.querySelectorAll(".timeline-wrap article[data-id]")], ids = all.map((one) => Number(one.dataset.id));
        for (const one of all) window.drawn.add(one.querySelector(".text")?.textContent.trim());
        if (ids.some((id, index) => id !== ids[0] + index)) window.holes.push(ids.join());
        requestAnimationFrame(look);
      };
      look();
    });
    await bob.page.locator(".timeline-wrap .timeline").hover();
    const atTop = () => bob.page.evaluate(() => {
      const top = document.querySelector(".timeline-wrap .timeline").getBoundingClientRect().top;
      return Number([...document.querySelectorAll(".timeline-wrap article[data-id]")].find((one) => one.getBoundingClientRect().bottom > top).dataset.id);
    });
    const begun = await atTop();
    let turns = 0;
    for (; turns < 400 && !(await texts(bob.page)).includes("written while it was gone"); turns++) {
      await bob.page.mouse.wheel(0, -1_000);
      await bob.page.waitForTimeout(30);
    }
    const { drawn, holes } = await bob.page.evaluate(() => ({ drawn: [...window.drawn], holes: window.holes }));
    assert.deepEqual(holes, [], "messages are missing, twice or out of order");
    // A message is higher than 24 pixels.
    const passed = begun - (await atTop());
    assert(passed * 24 <= (turns + 1) * 1_000, `${passed} messages were passed by ${turns} turns of the wheel: the list moves by itself`);
    const seen = new Set(drawn);
    assert(seen.has("written while it was gone"), "what was written while the server was gone");
    const missing = Array.from({ length: 620 }, (_, n) => `away ${n}`).filter((text) => !seen.has(text));
    assert.deepEqual(missing, []);
    await bob.page.getByRole("button", { name: "To the newest message" }).click();
    await shows(bob.page, "back again");
  },

  async "a message whose answer was lost is said to be asked about, sent again, and stored once"() {
    let cuts = 1;
    await bob.page.routeWebSocket(/ws.chat/, (line) => {
      const server = line.connectToServer();
      server.onMessage((data) => {
        const frame = JSON.parse(data);
        if (cuts > 0 && (frame.type === "ack" || frame.client_id)) line.close({ code: 4000 }).then(() => { cuts = 0; });
        else line.send(data);
      });
    });
    await bob.page.reload();
    await connected(bob.page);
    await write(bob.page, "is anybody there?");
    await write(bob.page, "the next after it");
    for (const { page } of [alice, bob]) {
      await shows(page, "the next after it");
      inOrder(await texts(page), ["is anybody there?", "the next after it"]);
    }
    assert.equal(cuts, 0, "the line was cut");
    await bob.page.unrouteAll();
    await bob.page.reload();
    await connected(bob.page);
  },

  async "what is refused keeps its text, and can be mended or dropped"() {
    const api = await login(base, ALICE, PASSWORD);
    const shed = await api("POST", "/rooms", { name: `shed-${mark}`, users: [BOB] });
    await room(bob.page, `shed-${mark}`).click();
    await composer(bob.page, `#shed-${mark}`).waitFor();
    await bob.context.setOffline(true);
    await bob.page.getByText("You are offline.").waitFor();
    await write(bob.page, "too late");
    await api("PATCH", `/rooms/${shed.room}`, { archived: true });
    await bob.context.setOffline(false);
    await message(bob.page, "too late").getByText("Not sent:").waitFor();
    await bob.page.getByRole("button", { name: "1 not sent" }).waitFor();
    await picture(bob.page, "refused");
    await message(bob.page, "too late").getByRole("button", { name: "Delete" }).click();
    await message(bob.page, "too late").waitFor({ state: "detached" });
    await room(bob.page, "general").click();
  },

  async "three tabs share one line and one truth, and renew the login no more often than they must"() {
    const { context } = alice;
    let sockets = 0;
    const count = (page) => page.on("websocket", () => { sockets += 1; });
    count(alice.page);
    const others = [];
    for (let n = 0; n < 2; n++) {
      const page = await context.newPage();
      count(page);
      await page.goto(base);
      await connected(page);
      others.push(page);
    }
    assert.equal(sockets, 0, "a tab that comes later opens no line");
    await write(others[0], "from the second tab");
    await write(bob.page, "to all tabs");
    for (const page of [alice.page, ...others]) {
      for (const text of ["from the second tab", "to all tabs"]) await shows(page, text);
      once(await texts(page), "from the second tab");
    }
    const all = await Promise.all([alice.page, ...others].map(async (page) => (await texts(page)).slice(-10)));
    for (const seen of all) assert.deepEqual(seen, all[0]);
    const renewals = [];
    context.on("request", (request) => request.url().endsWith("/browser/refresh") && renewals.push(request));
    await context.clock.setSystemTime(Date.now() + 3_600_000);
    await Promise.all(others.map((page) => page.reload()));
    for (const page of others) await connected(page);
    // Mostly one for all. A tab that has come up only when the other had renewed it could not hear of that, and asks once.
    assert(renewals.length <= others.length, `${renewals.length} renewals`);
    await context.clock.setSystemTime(Date.now());
    // The tab with the line goes: another takes it up, and nothing is lost.
    await alice.page.close();
    alice.page = others[0];
    await write(others[1], "after the first has gone");
    for (const page of others) await shows(page, "after the first has gone");
    await shows(bob.page, "after the first has gone");
    await others[1].close();
  },

  async "a message over the limit is not sent and not lost, and what is said of a text is said while it is so"() {
    const { page } = alice;
    await composer(page).click();
    await type(page, "x".repeat(100));
    for (let doubled = 0; doubled < 8; doubled++) await press(page, "Control+A", "Control+C", "End", "Control+V");
    const long = "x".repeat(25_600);
    await page.getByText("bytes too many").waitFor();
    await press(page, "Enter");
    assert.equal(await composer(page).inputValue(), long);
    await empty(page);
    await page.getByText("bytes too many").waitFor({ state: "detached" });
    const other = await open({}, hurried);
    await enter(other.page, `quoter_${mark}`, PASSWORD, { isNew: true });
    await connected(other.page);
    const quotes = '"'.repeat(900); // each takes two bytes in JSON
    await write(other.page, quotes);
    await other.page.getByText("of 1,512 at most").waitFor();
    assert.equal(await composer(other.page).inputValue(), quotes);
    await empty(other.page);
    // Who writes too fast is told so until it is over, and all of it arrives in order.
    const written = Array.from({ length: 6 }, (_, n) => `fast ${n}`);
    for (const text of written) await write(other.page, text);
    await other.page.getByText("faster than the server takes it").waitFor();
    await shows(other.page, "fast 5");
    inOrder(await texts(other.page), written);
    await other.context.close();
  },

  async "what waits is never sent under the login of another, and comes back with its own"() {
    const [first, second] = [`first_${mark}`, `second_${mark}`];
    const { context, page } = await open();
    await enter(page, first, PASSWORD, { isNew: true });
    await connected(page);
    await page.route("**/api/auth/ws-ticket", (route) => route.abort());
    await page.reload();
    await write(page, "words of the first");
    await type(page, "and a draft");
    await message(page, "words of the first").waitFor();
    await context.clearCookies(); // the login is over, and nobody asked for it
    await page.reload();
    await page.unroute("**/api/auth/ws-ticket");
    await page.getByRole("alert").getByText("This login was ended").waitFor();
    await enter(page, second, PASSWORD, { isNew: true });
    await connected(page);
    assert.equal(await composer(page).inputValue(), "");
    await write(page, "words of the second");
    await shows(page, "words of the second");
    assert(!(await texts(page)).includes("words of the first"), "sent under another login");
    await signOut(page);
    await enter(page, first, PASSWORD);
    await connected(page);
    await shows(page, "words of the first");
    assert.equal(await composer(page).inputValue(), "and a draft");
    await context.close();
  },

  async "signing out asks before it throws anything away, wipes what was kept, and tells the other tabs"() {
    const { context, page } = await open();
    const name = `asked_${mark}`;
    await enter(page, name, PASSWORD, { isNew: true });
    await connected(page);
    const other = await context.newPage();
    await other.goto(base);
    await connected(other);
    await context.setOffline(true);
    await write(page, "this one waits");
    await message(page, "this one waits").getByText("Waits for the connection").waitFor();
    await signOut(page);
    await dialog(page, "Sign out?").getByText("1 message that is not sent yet will be lost").waitFor();
    await dialog(page, "Sign out?").getByRole("button", { name: "Cancel" }).click();
    assert((await texts(page)).includes("this one waits"));
    await signOut(page);
    await dialog(page, "Sign out?").getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("alert").getByText("the server could not be told").waitFor();
    await other.getByRole("alert").getByText("signed out in another tab").waitFor();
    assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage }).includes("waits")), false);
    await context.setOffline(false);
    await enter(page, name, PASSWORD);
    await connected(page);
    await connected(other);
    assert(!(await texts(page)).includes("this one waits"));
    await context.close();
  },

  async "whoever is disabled is told to ask, and not to sign in again"() {
    const { context, page } = await open();
    await enter(page, `gone_${mark}`, PASSWORD, { isNew: true });
    await connected(page);
    await server(`disable gone_${mark}`);
    await page.getByRole("alert").getByText("This login was ended").waitFor();
    await enter(page, `gone_${mark}`, PASSWORD);
    await page.getByRole("alert").getByText("This account is disabled").waitFor();
    await context.close();
  },
});
