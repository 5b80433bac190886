// The small built-in page: register, log in, chat in `general`. Text goes into the page only as textContent.
const KEY = "parlour.login", ROOM = "general", PAGE = 50, $ = (id) => document.getElementById(id);
const log = $("log"), box = $("scroll"), text = $("text");
const outbox = new Map(); // client_id → { content, li }: on the screen, not yet acknowledged
let me, limits, socket, epoch, seq, retry, pause, behind, attempt = 0, tries = 0, heard = 0;
let shown = new Set(), online = new Set(); // ids of the messages on the screen; names of who is here
let catching = true; // until the line is up to date: live messages are shown, but `seq` waits for the gap to close
let slow = false; // the notice says that messages wait for their turn: it goes when one of them is through
let isLeaving = false; // from the click on "Log out" to the door: nothing is sent, and nothing can be written
let atEnd = true, unread = 0; // whether the newest message is on the screen; how many came below it
let extent = ""; // of the messages' box, when it was last looked at
let isAboutText = false; // the notice is about the length of what is written: it goes when that fits
let inFlight = null; // one message at a time, so that they keep their order through every refusal and reconnect

// The login is shared by all tabs; the lock lets only one of them at a time use up the refresh token.
const stored = () => { try { return JSON.parse(localStorage.getItem(KEY)); } catch { return null; } };
const store = (tokens, username) =>
  localStorage.setItem(KEY, JSON.stringify({ ...tokens, username, until: Date.now() + tokens.expires_in * 1000 }));
async function call(path, body, access) {
  const headers = { "Content-Type": "application/json", ...(access && { Authorization: `Bearer ${access}` }) };
  const answer = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) })
    .catch(() => { throw Error(navigator.onLine ? "The server cannot be reached." : "This browser is offline."); });
  const older = /rel="prev"/.test(answer.headers.get("Link")); // a page may end before its limit
  if (answer.ok) return answer.status === 204 ? null : Object.assign(await answer.json(), { older });
  const { detail = `The server answered ${answer.status}.`, code, errors } = await answer.json().catch(() => ({}));
  const isName = code === "username_taken" || errors?.[0]?.loc.includes("username");
  throw Object.assign(Error(detail), { status: answer.status, after: 1000 * answer.headers.get("Retry-After"), isName });
}
const token = (stale) => (navigator.locks ?? { request: (_, work) => work() }).request(KEY, async () => {
  const login = stored();
  if (!login) throw Object.assign(Error("Please log in again."), { status: 401 });
  if (login.access_token !== stale && login.until > Date.now() + 30_000) return login.access_token;
  const tokens = await call("/api/auth/refresh", { refresh_token: login.refresh_token });
  if (stored()?.refresh_token !== login.refresh_token) // logged out meanwhile: an answer that is late logs nobody in
    throw Object.assign(Error("Please log in again."), { status: 401 });
  store(tokens, login.username);
  return new Promise((done) => setTimeout(done, 200, stored().access_token)); // other tabs see the store a moment later
});
async function asUser(path, body, stale) {
  const access = await token(stale);
  return call(path, body, access)
    .catch((error) => (error.status === 401 && !stale ? asUser(path, body, access) : Promise.reject(error)));
}
// The connection.
function state(words, on) {
  Object.assign($("state"), { textContent: words, className: on ? "on" : "" });
  $("people").hidden = !on; // who is here now, no one knows without a connection
}
function notice(words) {
  $("notice").textContent = words;
  isAboutText = false;
}
async function connect() {
  if (isLeaving) return;
  const mine = ++attempt;
  clearTimeout(retry);
  state("Connecting…");
  try {
    const { ticket } = await asUser("/api/auth/ws-ticket", {});
    if (mine === attempt) open(`${location.origin.replace("http", "ws")}/ws/chat?ticket=${encodeURIComponent(ticket)}`);
  } catch (error) {
    if (mine === attempt) error.status === 401 ? leave(error.message) : lost(error.message, error.after);
  }
}
function open(address) {
  const line = socket = new WebSocket(address);
  heard = 0;
  setTimeout(() => line === socket && !heard && lost("The server does not answer."), 15_000);
  line.onclose = ({ code, reason }) => line === socket && closed(code, reason);
  line.onmessage = ({ data }) => {
    if (line !== socket) return;
    heard = Date.now();
    receive(JSON.parse(data), line).catch((error) => line === socket && lost(error.message, error.after));
  };
}
function closed(code, reason) {
  if (code === 1009 && outbox.has(inFlight)) refused({ ref: inFlight, detail: "The message is too large to be sent: make it shorter." });
  if (code === 4403) return leave(ENDS[reason] ?? "This login was ended. Please log in again.");
  const wait = { 4401: 1, 4429: 30_000 * (1 + Math.random()) }[code];
  if (wait || (code !== 1008 && (code < 4400 || code > 4499))) return lost("The connection was lost.", wait ?? pause);
  socket = null;
  state(`The server closed the connection (${reason || code}). Reload the page to try again.`);
}
const ENDS = { // what the server says when it ends a login
  "the account was disabled": "This account was disabled. Please ask whoever runs this server.",
  "the account was deleted": "This account was deleted.",
  "the password was changed": "The password was changed, which ended this login. Please log in again.",
};
function hangUp() {
  const old = socket;
  socket = pause = null;
  catching = true;
  attempt++;
  clearTimeout(retry);
  old?.close();
}
function lost(why, wait) {
  if (isLeaving) return;
  const delay = wait || Math.min(30_000, 500 * 2 ** tries++) * (0.5 + Math.random() / 2);
  hangUp();
  state(`${why} Trying again${delay < 2000 ? "…" : ` in ${Math.round(delay / 1000)} s.`}`);
  retry = setTimeout(connect, delay);
}
const tell = (frame) => socket?.readyState === WebSocket.OPEN && !socket.send(JSON.stringify(frame));
setInterval(() => { // a browser cannot see control frames, so it asks aloud, and hangs up when nothing comes
  const line = socket, asked = Date.now();
  if (tell({ type: "ping" })) setTimeout(() => line === socket && heard < asked && lost("The line went silent."), 10_000);
}, 25_000);
addEventListener("online", () => !$("chat").hidden && !socket && connect());
addEventListener("offline", () => !$("chat").hidden && lost("This browser is offline.")); // the line may look open for long
async function receive(frame, line) {
  if (frame.type === "system") {
    if (frame.event === "connected") return welcome(frame, line);
    for (const name of frame.usernames ?? []) online[frame.event === "left" ? "delete" : "add"](name);
    showOnline();
  } else if (frame.type === "message" && frame.room === ROOM) {
    place(() => add(frame));
    if (!catching) seq = Math.max(seq, frame.seq);
  } else if (frame.type === "ack" && outbox.has(frame.ref)) {
    place(() => add({ ...frame, client_id: frame.ref, username: me, content: outbox.get(frame.ref).content }));
  } else if (frame.type === "error") refused(frame);
  else if (frame.type === "lag" && frame.room === ROOM) catching ? (behind = true) : catchUp();
  else if (frame.type === "synced" && ROOM in frame.rooms) {
    seq = Math.max(seq, frame.rooms[ROOM].seq);
    if (!frame.rooms[ROOM].complete) await readOn(line);
    if (line === socket) ready();
  } else if (frame.type === "reconnect") pause = frame.after_ms;
}
async function welcome(frame, line) {
  if (me && !isMe(frame.username)) { // another tab logged in as somebody else: what is written and what waits is not their words
    putAside();
    epoch = null;
    notice(`This browser is logged in as ${frame.username} now.`);
  }
  ({ limits } = frame);
  iAm(frame.username);
  online = new Set(frame.online);
  showOnline();
  if (frame.epoch === epoch) return catchUp();
  epoch = null; // another history than before, or the first one
  shown = new Set();
  log.replaceChildren(...[...outbox.values()].map((waiting) => waiting.li));
  await history();
  if (line !== socket) return;
  seq = frame.rooms.find((room) => room.name === ROOM)?.seq ?? 0; // what is above it comes on this socket
  epoch = frame.epoch;
  ready();
}
function catchUp() {
  [catching, behind] = [true, false];
  tell({ type: "sync", ref: "sync", rooms: { [ROOM]: seq }, epoch });
}
async function readOn(line) {
  for (let page = [0]; page.length > 0 && line === socket;) {
    page = await asUser(`/api/rooms/${ROOM}/messages?since=${seq}&limit=200`);
    place(() => page.forEach(add));
    seq = Math.max(seq, ...page.map((message) => message.seq));
  }
}
function ready() {
  if (behind) return catchUp();
  catching = false;
  [inFlight, tries] = [null, 0];
  state("Connected", true);
  showEmpty();
  flush();
}
function flush() {
  const [id, waiting] = outbox.entries().next().value ?? [];
  if (!id || inFlight || catching) return;
  const tooLarge = whyTooLarge(waiting.content); // the limits may have changed, or were not known when it was written
  if (tooLarge) return refused({ ref: id, detail: tooLarge });
  if (tell(messageOf(id, waiting.content))) inFlight = id;
}
const messageOf = (id, content) => ({ type: "message", room: ROOM, content, client_id: id, ref: id });
function whyTooLarge(content) { // counted as it travels too: quotes, line breaks and control characters grow in JSON
  const bytes = (words) => new TextEncoder().encode(words).length, length = bytes(content);
  if (length > limits?.content_bytes) return `That is ${length} bytes long; at most ${limits.content_bytes} fit.`;
  const packed = bytes(JSON.stringify(messageOf("0".repeat(32), content)));
  if (packed > limits?.frame_bytes)
    return `That is ${packed} bytes long with its quotes, line breaks and control characters; at most ${limits.frame_bytes} fit.`;
  return "";
}
function refused({ ref, detail, retry_after_ms: wait }) {
  if (ref === "sync" && wait === undefined) epoch = null; // the cursor leads nowhere: start afresh
  if (ref === "sync") return lost(detail, wait);
  notice(detail);
  slow = wait !== undefined;
  isAboutText = !slow && outbox.has(ref);
  if (slow) return setTimeout(() => { inFlight = null; flush(); }, wait);
  if (!outbox.has(ref)) return;
  write([outbox.get(ref).content, text.value]); // back to where it can be changed
  settle(ref);
}
function settle(id) {
  if (slow) [slow] = [false, notice("")];
  outbox.get(id)?.li.remove();
  outbox.delete(id);
  if (inFlight === id) inFlight = null;
  flush();
}
// What is on the screen.
const isMe = (name) => name?.toLowerCase() === me?.toLowerCase();
function iAm(name) {
  Object.assign($("me"), { textContent: me = name, title: name });
  if (!text.value) text.value = drafts[me.toLowerCase()] ?? "";
}
// What is written and not sent stays in this tab for who wrote it, and is shown to no one else.
const DRAFTS = "parlour.drafts", drafts = Object.create(null);
function keep() {
  if (me) drafts[me.toLowerCase()] = text.value || undefined;
  try { sessionStorage.setItem(DRAFTS, JSON.stringify(drafts)); } catch { /* too large: it lasts until a reload, which asks */ }
}
function write(words) {
  text.value = words.filter(Boolean).join("\n");
  keep();
}
text.addEventListener("input", () => {
  keep();
  if (isAboutText) tellTooLarge();
});
function tellTooLarge() {
  const words = whyTooLarge(text.value);
  notice(words);
  isAboutText = words !== "";
  return isAboutText;
}
function putAside() { // with what waits, which is not sent any more
  write([...[...outbox.values()].map((waiting) => waiting.content), text.value]);
  outbox.forEach(({ li }) => li.remove());
  outbox.clear();
  [text.value, inFlight, me] = ["", null, undefined];
}
const make = (tag, name, words = "") => Object.assign(document.createElement(tag), { className: name, textContent: words });
function entry(name, at, words) {
  const li = make("li", ""), face = make("span", "face", name[0].toUpperCase()), who = make("span", "who");
  const date = at.toDateString() === new Date().toDateString() ? undefined : "medium";
  who.append(make("bdi", "", name), make("time", "", at.toLocaleString([], { dateStyle: date, timeStyle: "short" })));
  face.ariaHidden = "true";
  face.style.setProperty("--hue", [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7));
  li.append(face, who, Object.assign(make("p", "text", words), { dir: "auto" }));
  Object.assign(li.dataset, { who: name, at: at.getTime() });
  return li;
}
function add({ id, username, content, client_id, unreadable, created_at, timestamp = created_at }) {
  if (client_id) settle(client_id);
  if (shown.has(id)) return;
  shown.add(id);
  const li = entry(username, new Date(timestamp), unreadable ? "⚠ This message could not be decrypted." : content);
  li.dataset.id = id;
  let spot = log.lastElementChild; // nearly always the end, but for what waits there to be acknowledged
  while (spot && !(spot.dataset.id < id)) spot = spot.previousElementSibling;
  spot ? spot.after(li) : log.prepend(li);
  showEmpty();
  if (!li.nextElementSibling?.dataset.id && !isMe(username)) unread++;
  for (const { classList, dataset, previousElementSibling: before } of [li, li.nextElementSibling].filter((one) => one?.dataset.id))
    classList.toggle("same", before?.dataset.who === dataset.who && dataset.at - before.dataset.at < 300_000);
}
function showEmpty() {
  $("empty").hidden = catching || log.childElementCount > 0;
}
const below = () => box.scrollHeight - box.scrollTop - box.clientHeight;
function place(work, older = false) { // stays at the end or, with older ones, at what is being read
  const before = below(), known = unread;
  work();
  if (older) [box.scrollTop, unread] = [box.scrollHeight - box.clientHeight - before, known];
  else if (atEnd || before < 90) toEnd();
  showUnread();
}
function toEnd() {
  box.scrollTop = box.scrollHeight;
  [atEnd, unread] = [true, 0];
  showUnread();
}
function showUnread() {
  $("below").hidden = unread === 0;
  $("below").textContent = `${unread} new message${unread === 1 ? "" : "s"} below`;
}
async function history(before = "") {
  $("live").ariaBusy = "true"; // so that a screen reader does not read all of it aloud
  const page = await asUser(`/api/rooms/${ROOM}/messages?limit=${PAGE}${before && `&before=${before}`}`);
  place(() => page.forEach(add), Boolean(before));
  if (document.activeElement === $("older")) box.focus(); // it may go
  $("older").hidden = !page.older;
  setTimeout(() => { $("live").ariaBusy = "false"; });
}
function showOnline() {
  $("count").textContent = online.size;
  $("online").replaceChildren(...[...online].sort().map((name) => Object.assign(make("li", "", name), { dir: "auto" })));
}
function leave(why) { // to the door, without asking the server for it again: it may be gone
  hangUp();
  if (isMe(stored()?.username)) localStorage.removeItem(KEY);
  putAside();
  shown = new Set();
  log.replaceChildren();
  [limits, epoch, slow, isLeaving, unread] = [undefined, null, false, false, 0];
  showUnread();
  showEmpty();
  notice("");
  canWrite(true);
  $("refusal").textContent = why;
  show();
}
function canWrite(can) {
  for (const part of [...$("composer").elements, $("logout"), $("older")]) part.disabled = !can;
}
const isNew = () => $("login").elements.to.value === "register";
$("login").onchange = (event) => {
  if (event?.target.name === "to") $("refusal").textContent = ""; // it was about the other
  $("enter").textContent = isNew() ? "Register" : "Log in";
  $("hint").hidden = $("rule").hidden = !isNew();
  $("password").autocomplete = isNew() ? "new-password" : "current-password";
};
$("login").onsubmit = async (event) => {
  event.preventDefault();
  const about = { username: $("username").value.trim(), password: $("password").value };
  let next = document.activeElement; // disabling takes the focus away
  $("refusal").textContent = "";
  $("fields").disabled = true;
  try {
    if (isNew()) await call("/api/auth/register", about);
    store(await call("/api/auth/login", about), about.username);
    location.reload();
  } catch (error) {
    $("refusal").textContent = error.message + (error.after ? ` Try again in ${error.after / 1000} s.` : "");
    if (error.isName) next = $("username");
  }
  $("fields").disabled = false;
  next.focus();
};
$("logout").onclick = async () => {
  const question = "What you wrote and what was not sent yet will be lost. Log out all the same?";
  if (isUnsent() && !confirm(question)) return;
  isLeaving = true;
  canWrite(false);
  outbox.forEach(({ li }) => li.remove());
  outbox.clear();
  write([]);
  hangUp(); // the server ends it with the login, which would be news only to who did not ask for it
  state("Logging out…");
  const late = new Promise((_, refuse) => setTimeout(refuse, 5_000, Error("late")));
  const isOver = (error) => error.status === 401;
  const access = await Promise.race([token(), late]).catch((error) => isOver(error) ? "" : null);
  localStorage.removeItem(KEY); // the other tabs go to the door, before the server closes their sockets
  const isTold = access === "" || (access && await Promise.race([call("/api/auth/logout", {}, access), late])
    .then(() => true, isOver));
  leave(isTold ? "" : "This computer has forgotten your login, but the server could not be told: there it lasts up to 30 days more. \
Whoever runs the server can end it with `parlour users sign-out`.");
};
$("older").onclick = () => history(log.firstElementChild.dataset.id).catch(({ message }) => notice(message));
text.addEventListener("keydown", (event) => {
  // The Enter that ends a composition sends nothing. Safari gives it after the composition's end, with 229 as its code.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) $("composer").onsubmit(event);
});
$("composer").onsubmit = (event) => {
  event.preventDefault();
  const content = text.value;
  if (tellTooLarge() || !content.trim()) return;
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const li = log.appendChild(entry(me ?? "me", new Date(), content));
  li.querySelector(".who").append(make("small", "", "not sent yet"));
  outbox.set(id, { content, li });
  showEmpty();
  toEnd();
  write([]);
  flush();
};
addEventListener("click", ({ target }) => { if (!$("people").contains(target)) $("people").open = false; });
addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !$("people").open) return;
  if ($("people").contains(document.activeElement)) $("people").firstElementChild.focus();
  $("people").open = false;
});
const isResized = () => extent !== (extent = `${box.clientWidth} ${box.clientHeight}`);
box.addEventListener("scroll", () => {
  if (isResized()) return atEnd && toEnd(); // nobody has scrolled: the window has another size
  atEnd = below() < 90;
  if (atEnd) unread = 0;
  showUnread();
});
const watched = new ResizeObserver(() => { // a longer text, a phone's keyboard, a phone that is turned, larger letters
  isResized();
  if (atEnd) toEnd();
});
for (const part of [box, log]) watched.observe(part);
$("below").onclick = toEnd;
addEventListener("storage", ({ key }) => { // another tab logged in or out
  if (key !== KEY) return;
  if (!$("chat").hidden && !isLeaving && !(stored() && isMe(stored().username))) leave("You were logged out in another tab.");
  if ($("chat").hidden && stored()) location.reload();
});
const isUnsent = () => outbox.size > 0 || text.value.trim() !== "";
addEventListener("beforeunload", (event) => isUnsent() && event.preventDefault());
function start() {
  try {
    for (const kept of [localStorage, sessionStorage]) kept.setItem(`${KEY}.probe`, "");
  } catch {
    $("blocked").hidden = false;
    return;
  }
  Object.assign(drafts, JSON.parse(sessionStorage.getItem(DRAFTS)));
  text.value = ""; // a browser may have kept it over a reload, also for who is somebody else
  $("login").onchange(); // the choice, too
  show();
  if (!stored()) return;
  if (stored().username) iAm(stored().username); // before any line is open: what is written now is this person's
  connect();
}
function show() {
  [$("door").hidden, $("chat").hidden] = [Boolean(stored()), !stored()];
  (stored() ? text : $("username")).focus();
}
start();
