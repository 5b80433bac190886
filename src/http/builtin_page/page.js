// The small built-in page: register, log in, chat. Text goes into the page only as textContent.
import { begin, draw, make, markOf, nameOf, rooms } from "./rooms.js";
const KEY = "parlour.login", HERE = "parlour.room", PAGE = 50, $ = (id) => document.getElementById(id);
const box = $("scroll"), text = $("text");
const outbox = new Map(); // client_id → { key, content, li }: on the screen, not yet acknowledged
let me, limits, socket, epoch, retry, pause, behind, attempt = 0, tries = 0, heard = 0;
let chosen, wanted; // the room on the screen; the key of the one that was asked for, and is not there yet
let online = new Set(); // names of who is here
let drawing; // the timer after which the list of rooms is drawn
let told = new Set(); // keys of the rooms that this socket has told of: it knows more of them than a list that was read meanwhile
let unsynced = []; // rooms that are still to be caught up with
let catching = true; // until the line is up to date: live messages are shown, but each room's `seq` waits for the gap to close
let isLeaving = false; // from the click on "Log out" to the door: nothing is sent, and nothing can be written
let atEnd = true, unread = 0; // whether the newest message is on the screen; how many came below it
let extent = ""; // of the messages' box, when it was last looked at
// Each room has one message in flight at a time (`inFlight`), so that they keep their order through every refusal and
// reconnect; what is `said` in it: `isSlow`, that messages wait for their turn (it goes when one of them is through),
// `isAboutText`, that what is written is too long (it goes when that fits), `isFailed`, that something could not be read (it goes
// when that works). All else goes after a while.

// The login is shared by all tabs; the lock lets only one of them at a time use up the refresh token.
const stored = () => { try { return JSON.parse(localStorage.getItem(KEY)); } catch { return null; } };
const store = (tokens, username) =>
  localStorage.setItem(KEY, JSON.stringify({ ...tokens, username, until: Date.now() + tokens.expires_in * 1000 }));
async function call(path, body, access) {
  const headers = { "Content-Type": "application/json", ...(access && { Authorization: `Bearer ${access}` }) };
  const answer = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) })
    .catch(() => { throw Error(navigator.onLine ? "The server cannot be reached." : "This browser is offline."); });
  const leads = (rel) => answer.headers.get("Link")?.match(`<([^>]*)>; *rel="${rel}"`)?.[1]; // a page may end before its limit
  if (answer.ok) return answer.status === 204 ? null : Object.assign(await answer.json(), { older: Boolean(leads("prev")), next: leads("next") });
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
function notice(words, room = chosen) {
  Object.assign(room, { said: words, isAboutText: false });
  if (room === chosen) $("notice").textContent = words;
  clearTimeout(room.over);
  if (words) room.over = setTimeout(() => room.isSlow || room.isAboutText || notice("", room), 30_000);
}
const failed = (room) => ({ message }) => {
  notice(message, room);
  room.isFailed = true;
};
function worked(room) {
  if (room.isFailed) room.isFailed = notice("", room);
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
  const size = (ref) => outbox.get(ref).content.length;
  const [ref] = [...rooms.values()].map((room) => room.inFlight).filter((id) => outbox.has(id)).sort((a, b) => size(b) - size(a));
  if (code === 1009 && ref) refused({ ref, detail: "The message is too large to be sent: make it shorter." });
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
  } else if (frame.type === "message" || frame.type === "message_changed") {
    const room = rooms.get(frame.room);
    if (!room || room.isGone) return;
    place(room, () => add(room, frame));
    if (!catching) room.seq = Math.max(room.seq, frame.seq);
  } else if (frame.type === "room") news(frame);
  else if (frame.type === "ack" && outbox.has(frame.ref)) {
    const { key, content } = outbox.get(frame.ref), room = rooms.get(key);
    place(room, () => add(room, { ...frame, seq: frame.id, client_id: frame.ref, username: me, content }));
  } else if (frame.type === "ack" && $(frame.ref)) arrived(frame);
  else if (frame.type === "error") refused(frame);
  else if (frame.type === "lag") catching ? (behind = true) : catchUp();
  else if (frame.type === "synced") {
    for (const [key, { seq, complete, gone }] of Object.entries(frame.rooms)) {
      const room = rooms.get(key);
      if (gone) takenOut(room);
      if (gone || !room) continue;
      room.seq = Math.max(room.seq, seq);
      if (!complete) await readOn(room, line);
    }
    if (line === socket) syncNext() || ready();
  } else if (frame.type === "reconnect") pause = frame.after_ms;
}
async function welcome(frame, line) {
  if (me && !isMe(frame.username)) { // another tab logged in as somebody else: what is written and what waits is not their words
    putAside();
    notice(`This browser is logged in as ${frame.username} now.`);
  }
  ({ limits } = frame);
  iAm(frame.username);
  online = new Set(frame.online);
  showOnline();
  const isSame = frame.epoch === epoch; // else another history than before, or the first one
  if (!isSame) epoch = null;
  for (const about of frame.rooms) isSame ? news({ ...about, type: "room" }) : enter(about);
  told = new Set(frame.rooms.map(({ room }) => room));
  const isLeftOut = ({ about, isGone }) => frame.more_rooms > 0 && about.kind === "direct" && !isGone;
  for (const room of [...rooms.values()].filter(({ key }) => !told.has(key)))
    if (!isLeftOut(room)) takenOut(room);
    else if (!isSame) enter(room.about).isOld = true; // its messages and numbers are of another history; if it is gone, the list says so
  showRooms();
  if (frame.more_rooms > 0) enterRest(line).catch((error) => line === socket && lost(error.message, error.after));
  if (isSame) return catchUp();
  if (isThere(chosen)) await history(chosen);
  if (line !== socket) return;
  epoch = frame.epoch;
  ready();
}
async function enterRest(line) { // the rooms that the first frame leaves out; what happens in them is told all the same
  for (let path = "/api/rooms"; path;) {
    const page = await asUser(path);
    if (line !== socket) return;
    for (const about of page.filter(({ room }) => !told.has(room))) {
      told.add(about.room);
      if (!rooms.has(about.room) || !isThere(rooms.get(about.room))) enter(about);
    }
    showRooms();
    path = page.next;
  }
  for (const room of rooms.values()) if (room.isOld && !told.has(room.key)) takenOut(room);
  if (!catching) look();
}
function catchUp() {
  [catching, behind] = [true, false];
  unsynced = [...rooms.values()].filter(isThere);
  syncNext() || ready();
}
function syncNext() { // so many at once as a frame holds, whatever their keys and numbers are
  const part = unsynced.splice(0, Math.min(1_000, Math.floor(((limits?.frame_bytes ?? 65_536) - 256) / 48)));
  if (part.length) tell({ type: "sync", ref: "sync", rooms: Object.fromEntries(part.map(({ key, seq }) => [key, seq])), epoch });
  return part.length > 0;
}
const isThere = ({ isGone, isOld }) => !isGone && !isOld;
async function readOn(room, line) {
  for (let page = [0]; page.length > 0 && line === socket && !room.isGone;) {
    page = await asUser(`/api/rooms/${room.key}/messages?since=${room.seq}&limit=200`);
    place(room, () => page.forEach((message) => add(room, message)));
    room.seq = Math.max(room.seq, ...page.map((message) => message.seq));
  }
}
function ready() {
  if (behind) return catchUp();
  [catching, tries] = [false, 0];
  for (const room of rooms.values()) {
    room.inFlight = null;
    worked(room);
  }
  for (const form of ["direct", "join"]) if ($(form).querySelector(".error").textContent === NO_LINE) notDone(form);
  state("Connected", true);
  look();
  showEmpty();
  flush();
}
function flush() {
  for (const room of catching ? [] : [...rooms.values()]) {
    const [id, waiting] = [...outbox].find(([, { key }]) => key === room.key) ?? [];
    if (!id || room.inFlight) continue;
    const tooLarge = whyTooLarge(waiting.content); // the limits may have changed, or were not known when it was written
    if (tooLarge) refused({ ref: id, detail: tooLarge });
    else if (tell(messageOf(id, waiting))) room.inFlight = id;
  }
}
const messageOf = (id, { key, content }) => ({ type: "message", room: key, content, client_id: id, ref: id });
function whyTooLarge(content) { // counted as it travels too: quotes, line breaks and control characters grow in JSON
  const bytes = (words) => new TextEncoder().encode(words).length, length = bytes(content);
  if (length > limits?.content_bytes) return `That is ${length} bytes long; at most ${limits.content_bytes} fit.`;
  const packed = bytes(JSON.stringify(messageOf("0".repeat(32), { key: chosen.key, content })));
  if (packed > limits?.frame_bytes)
    return `That is ${packed} bytes long with its quotes, line breaks and control characters; at most ${limits.frame_bytes} fit.`;
  return "";
}
function refused({ ref, code, detail, retry_after_ms: wait }) {
  if (ref === "sync" && wait === undefined) epoch = null; // the cursor leads nowhere: start afresh
  if (ref === "sync") return lost(detail, wait);
  if (!outbox.has(ref) && $(ref)) return notDone(ref, code, detail);
  const { key, content } = outbox.get(ref) ?? {}, room = rooms.get(key) ?? chosen;
  const isKnown = code === "room_archived" && room.about.archived_at; // that is said already
  const when = code === "slow_mode" ? "then" : `in ${Math.ceil(wait / 1000)} s`;
  notice(isKnown ? "" : key && wait !== undefined ? `${detail} What you wrote is sent ${when}.` : detail, room);
  room.isSlow = wait !== undefined;
  if (room.isSlow) return setTimeout(() => { room.inFlight = null; flush(); }, wait);
  if (!key) return;
  room.isAboutText = true;
  write(room, [content, draft(room)]); // back to where it can be changed
  settle(ref);
}
function settle(id) {
  const { key, li } = outbox.get(id) ?? {}, room = rooms.get(key);
  if (!room) return;
  if (room.isSlow) room.isSlow = notice("", room);
  li.remove();
  outbox.delete(id);
  if (room.inFlight === id) room.inFlight = null;
  flush();
}
// The rooms.
function enter(about) { // also again: after another history, or after having been out of it
  const room = begin({ ...about });
  room.log.append(...[...outbox.values()].filter(({ key }) => key === room.key).map(({ li }) => li));
  if (chosen?.key === room.key) put(room);
  return room;
}
function news(frame) {
  const room = rooms.get(frame.room);
  if (!frame.changed) told.add(frame.room);
  if (frame.gone) return takenOut(room);
  if (frame.changed) for (const field of room ? frame.changed : []) room.about[field] = frame[field];
  else if (room && isThere(room)) Object.assign(room, { about: { ...frame }, floor: Math.min(room.floor, frame.seq) }); // a list may have said more
  else enter(frame);
  if (room?.isAboutText && frame.changed?.some((field) => /^(archived_at|muted_until)$/.test(field)))
    notice("", room); // why it was refused may be over
  if (room?.newest > frame.seq) room.about.hidden = false; // what was hidden before the newest message came is there again
  showRooms();
  if (wanted === frame.room) go(wanted);
  else if (!catching) look();
}
function takenOut(room) {
  if (!room || room.isGone) return;
  room.isGone = true;
  room.isSlow = notice("", room); // nothing waits there any more
  takeBack(room);
  showRooms();
}
function takeBack(room) { // what waits, to where it was written
  const waiting = [...outbox].filter(([, { key }]) => key === room.key);
  if (waiting.length) write(room, [...waiting.map(([, { content }]) => content), draft(room)]);
  for (const [id, { li }] of waiting) {
    li.remove();
    outbox.delete(id);
  }
  room.inFlight = null;
}
function put(room) { // on the screen
  if (chosen) watched.unobserve(chosen.log);
  $("log").replaceWith(room.log);
  watched.observe(room.log);
  const isOther = chosen?.key !== room.key;
  chosen = room;
  if (isOther) text.value = draft(room);
  room.fresh.clear();
  toEnd();
  drawRooms();
  showEmpty();
}
function go(key) {
  const room = rooms.get(key);
  wanted = room ? null : key;
  if (!room) return;
  put(room);
  listing(false);
  $("public").open = false;
  rest();
  if (!catching) look();
}
const rest = () => (narrow.matches ? box : text).focus(); // where one goes on, without a phone's keyboard in the way
function look() { // at what has not been read yet of the room on the screen
  const room = chosen;
  if (!room.isRead && isThere(room)) history(room).catch(failed(room));
}
function showRooms() { // soon, and once for all that happens until then; frames of an animation come to no page in the background
  drawing ??= setTimeout(drawRooms, 30);
}
function drawRooms() {
  drawing = clearTimeout(drawing);
  for (const room of rooms.values()) if (room.isGone && room !== chosen && !draft(room)) rooms.delete(room.key);
  draw(chosen, isMe);
  const { about, isGone, said, older } = chosen, name = nameOf(chosen, isMe);
  for (const part of [$("title"), $("here")]) part.textContent = `${markOf(chosen)} ${name}`;
  Object.assign($("topic"), { textContent: about.topic ?? "", title: about.topic ?? "" });
  $("live").ariaLabel = `Messages in ${name}`;
  $("to").textContent = text.placeholder = `Message to ${name}`;
  $("notice").textContent = said;
  const why = isGone ? "You are not in this room any more. What you have written stays here, and is not sent." : about.archived_at ? "This room is archived: it can only be read." : "";
  if ($("gone").textContent !== why) $("gone").textContent = why; // else it would be read aloud again
  $("older").hidden = !older || isGone;
  try { sessionStorage.setItem(HERE, JSON.stringify({ ...about, me })); } catch { /* a reload begins in general */ }
}
const narrow = matchMedia("(max-width: 44rem)");
function listing(isOpen) { // on a phone, the list lies over the messages
  $("chat").classList.toggle("listing", isOpen);
  $("switch").ariaExpanded = String(isOpen);
}
$("switch").onclick = () => listing(!$("chat").classList.contains("listing"));
$("list").onclick = ({ target }) => {
  const button = target.closest("button");
  if (button) go(button.dataset.key);
};
function ask(form, frame) { // the answer carries the form's id as its `ref`
  notDone(form);
  if (!tell({ ...frame, ref: form })) notDone(form, "", NO_LINE);
}
const NO_LINE = "There is no connection now. Please try again in a moment.";
$("direct").onsubmit = (event) => {
  event.preventDefault();
  $("with").focus(); // a refusal is corrected there
  ask("direct", { type: "direct", users: $("with").value.split(/[\s,@]+/).filter(Boolean) });
};
$("join").onsubmit = (event) => {
  event.preventDefault();
  $("which").focus();
  const name = roomName();
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) return notDone("join", "", RULE);
  ask("join", { type: "join", room: name.toLowerCase() });
};
$("offer").onclick = ({ target: { value: kind } }) => {
  if (!kind) return;
  $("which").focus();
  ask("join", { type: "create", name: $("offer").dataset.name, kind });
};
const roomName = () => $("which").value.trim().replace(/^#\s*/, "");
const RULE = "The name of a room is 1 to 64 letters A to Z, digits, _ and -. It has a letter, and begins and ends with a letter or a digit.";
const publicRooms = $("public").querySelector("ul");
$("public").ontoggle = async () => { // those that I am not in
  if (!$("public").open) return;
  const items = await asUser("/api/rooms/directory?limit=100").then((all) => {
    const others = all.filter(({ room }) => !rooms.has(room) || rooms.get(room).isGone);
    const offers = others.map(({ room, name, topic = "" }) => Object.assign(make("button", "quiet", `# ${name}`), { value: room, title: topic }));
    const word = all.next ? "There are more: join them by name." : offers.length ? "" : "There is no other public room.";
    return word ? [...offers, word] : offers;
  }, ({ message }) => [message]);
  publicRooms.replaceChildren(...items.map((item) => {
    const li = make("li", "");
    li.append(item);
    return li;
  }));
};
publicRooms.onclick = ({ target: { value: room } }) => room && ask("join", { type: "join", room });
$("which").oninput = () => notDone("join");
$("with").oninput = () => notDone("direct");
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g; // they would turn the rest of a sentence that quotes them
function arrived({ ref, room }) {
  $(ref).reset();
  notDone(ref);
  go(room);
}
function notDone(form, code = "", detail = "") { // without a reason: nothing is wrong, or not yet
  const name = roomName().toLowerCase(), isMissing = form === "join" && code === "room_not_found" && name !== "";
  const canBe = /[a-z]/.test(name) && /^[a-z0-9].*[a-z0-9]$|^[a-z]$/.test(name); // digits alone are a key
  if (form === "join") {
    $("offer").hidden = !isMissing || !canBe;
    $("offer").dataset.name = name;
  }
  const missing = `There is no room called “${name}” that you could join. ${canBe ? "You can make one:" : RULE}`;
  $(form).querySelector(".error").textContent = (isMissing ? missing : detail).replace(TURNS, "");
}
// What is on the screen.
const isMe = (name) => name?.toLowerCase() === me?.toLowerCase();
function iAm(name) {
  Object.assign($("me"), { textContent: me = name, title: name });
  if (!text.value) text.value = draft(chosen);
  showRooms();
}
// What is written and not sent stays in this tab, room by room, for who wrote it, and is shown to no one else.
const DRAFTS = "parlour.drafts", drafts = Object.create(null);
const mine = () => (me ? drafts[me.toLowerCase()] ??= {} : {});
const draft = (room) => mine()[room.key] ?? "";
function keep() {
  mine()[chosen.key] = text.value || undefined;
  save();
}
function save() {
  try { sessionStorage.setItem(DRAFTS, JSON.stringify(drafts)); } catch { /* too large: it lasts until a reload, which asks */ }
}
function write(room, words) {
  mine()[room.key] = words.filter(Boolean).join("\n") || undefined;
  if (room === chosen) text.value = draft(room);
  save();
}
text.addEventListener("input", () => {
  keep();
  if (chosen.isAboutText) tellTooLarge();
});
function tellTooLarge() {
  const words = whyTooLarge(text.value);
  notice(words);
  chosen.isAboutText = words !== "";
  return chosen.isAboutText;
}
function putAside() { // with what waits, which is not sent any more
  keep();
  for (const room of rooms.values()) takeBack(room);
  rooms.clear();
  [text.value, me, epoch, chosen, wanted] = ["", undefined, null, null, null];
  enter(GENERAL);
  put(rooms.get(GENERAL.room));
}
const GENERAL = { room: "general", name: "general", kind: "public", seq: 0 }; // as much of it as is known before any line is open
function entry(name, at, words) {
  const li = make("li", ""), face = make("span", "face", name[0]?.toUpperCase() ?? "?"), who = make("span", "who");
  const date = at.toDateString() === new Date().toDateString() ? undefined : "medium";
  who.append(make("bdi", "", name), make("time", "", at.toLocaleString([], { dateStyle: date, timeStyle: "short" })));
  face.ariaHidden = "true";
  face.style.setProperty("--hue", [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7));
  li.append(face, who, make("small", "quote"), Object.assign(make("p", "text", words), { dir: "auto" }), make("small", "edited"));
  Object.assign(li.dataset, { who: name, at: at.getTime() });
  return li;
}
function add(room, message, isPage = false) {
  const { id, username = "", client_id, kind, deleted_at, created_at, timestamp = created_at, seq } = message;
  if (client_id) settle(client_id);
  if (message.thread && !message.also_to_room) return; // it stands in a thread alone
  const known = room.shown.get(id);
  if (known && seq > known.dataset.seq) fill(room, known, message);
  if (known) return;
  if (isPage) room.floor = Math.min(room.floor, id - 1);
  else if (id <= room.floor) return room.loading && room.late.push(message); // it changes what is not on the screen, or on its way there
  const li = entry(username, new Date(timestamp), ""), { log } = room;
  room.shown.set(id, li);
  li.dataset.id = id;
  if (kind === "system") Object.assign(li, { className: "event" }).dataset.who = "";
  let spot = log.lastElementChild; // nearly always the end, but for what waits there to be acknowledged
  while (spot && !(spot.dataset.id < id)) spot = spot.previousElementSibling;
  spot ? spot.after(li) : log.prepend(li);
  showEmpty();
  if (!isPage && kind !== "system" && id > Math.max(room.about.seq, room.newest)) { // only a new message brings a room back
    room.newest = id;
    room.about.hidden = false;
  }
  if (!isMe(username) && room !== chosen && !isPage && kind !== "system" && !deleted_at) room.fresh.add(id);
  if (room === chosen && !li.nextElementSibling?.dataset.id && !isMe(username)) unread++;
  fill(room, li, message);
  for (const { classList, dataset, previousElementSibling: before } of [li, li.nextElementSibling].filter((one) => one?.dataset.id))
    classList.toggle("same", dataset.who !== "" && before?.dataset.who === dataset.who && dataset.at - before.dataset.at < 300_000);
}
function fill(room, li, { id, seq, content, unreadable, edited_at, deleted_at, pinned, reactions = [], reply_to }) {
  const words = unreadable ? "⚠ This message could not be decrypted." : content;
  li.querySelector(".text").textContent = deleted_at ? "This message was deleted." : words;
  const notes = [edited_at && "edited", pinned && "(pinned)", ...reactions.map(({ emoji, count }) => `${emoji} ${count}`)];
  li.querySelector(".edited").textContent = deleted_at ? "" : notes.filter(Boolean).join(" ");
  if (reply_to) li.dataset.answers = reply_to;
  for (const answer of [...(reply_to ? [li] : []), ...room.log.querySelectorAll(`[data-answers="${id}"]`)]) quote(room, answer);
  li.classList.toggle("deleted", Boolean(deleted_at));
  li.dataset.seq = seq;
  if (deleted_at) room.fresh.delete(id);
}
function quote(room, li) { // what it answers, as that now is
  const first = room.shown.get(Number(li.dataset.answers)), words = first?.querySelector(".text").textContent.slice(0, 200);
  const parts = first ? [make("bdi", "", first.dataset.who), ": ", make("bdi", "", words)] : ["an older message"];
  li.querySelector(".quote").replaceChildren("> ", ...parts);
}
function showEmpty() {
  $("empty").hidden = catching || !chosen.isRead || chosen.log.childElementCount > 0;
}
const below = () => box.scrollHeight - box.scrollTop - box.clientHeight;
function place(room, work, older = false) { // stays at the end or, with older ones, at what is being read
  if (room !== chosen) {
    work();
    return showRooms();
  }
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
const history = (room, before = "") => room.loading ??= load(room, before).finally(() => { room.loading = null; });
async function load(room, before) {
  $("live").ariaBusy = "true"; // so that a screen reader does not read all of it aloud
  setTimeout(() => { $("live").ariaBusy = "false"; }, 5_000);
  const page = await asUser(`/api/rooms/${room.key}/messages?limit=${PAGE}${before && `&before=${before}`}`);
  place(room, () => {
    page.forEach((message) => add(room, message, true));
    room.late.splice(0).forEach((message) => add(room, message));
  }, Boolean(before));
  Object.assign(room, { isRead: true, older: page.older });
  worked(room);
  if (room !== chosen) return;
  if (document.activeElement === $("older")) box.focus(); // it may go
  $("older").hidden = !page.older;
  showEmpty();
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
  [limits, isLeaving] = [undefined, false];
  sessionStorage.removeItem(HERE);
  listing(false);
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
$("login").oninput = () => { $("refusal").textContent = ""; };
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
  if (me) delete drafts[me.toLowerCase()];
  write(chosen, []);
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
$("older").onclick = () => history(chosen, chosen.log.firstElementChild.dataset.id).catch(failed(chosen));
text.addEventListener("keydown", (event) => {
  // The Enter that ends a composition sends nothing. Safari gives it after the composition's end, with 229 as its code.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) $("composer").onsubmit(event);
});
$("composer").onsubmit = (event) => {
  event.preventDefault();
  text.focus(); // a click on the button took it away
  const content = text.value;
  if (chosen.isGone || tellTooLarge() || !content.trim()) return;
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const li = chosen.log.appendChild(entry(me ?? "me", new Date(), content));
  li.querySelector(".who").append(make("small", "", "not sent yet"));
  outbox.set(id, { key: chosen.key, content, li });
  showEmpty();
  toEnd();
  write(chosen, []);
  flush();
};
addEventListener("click", ({ target }) => { if (!$("people").contains(target)) $("people").open = false; });
box.addEventListener("click", () => listing(false));
addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && $("switch").ariaExpanded === "true") {
    listing(false);
    $("switch").focus();
  }
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
watched.observe(box);
$("below").onclick = () => {
  toEnd();
  rest();
};
addEventListener("storage", ({ key }) => { // another tab logged in or out
  if (key !== KEY) return;
  if (!$("chat").hidden && !isLeaving && !(stored() && isMe(stored().username))) leave("You were logged out in another tab.");
  if ($("chat").hidden && stored()) location.reload();
});
const isUnsent = () => outbox.size > 0 || text.value.trim() !== "" || [...rooms.values()].some((room) => draft(room).trim());
addEventListener("beforeunload", (event) => isUnsent() && event.preventDefault());
function start() {
  try {
    for (const kept of [localStorage, sessionStorage]) kept.setItem(`${KEY}.probe`, "");
  } catch {
    $("blocked").hidden = false;
    return;
  }
  for (const [name, kept] of Object.entries(JSON.parse(sessionStorage.getItem(DRAFTS)) ?? {}))
    drafts[name] = typeof kept === "string" ? { general: kept } : kept; // as the page of before had it
  const here = JSON.parse(sessionStorage.getItem(HERE));
  enter(GENERAL);
  if (here?.me && here.me.toLowerCase() === stored()?.username?.toLowerCase() && here.room !== GENERAL.room) enter(here);
  put([...rooms.values()].at(-1));
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
