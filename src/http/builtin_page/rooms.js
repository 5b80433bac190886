// The rooms that the page knows, and the list of them. Text goes into the page only as textContent.
const $ = (id) => document.getElementById(id);
export const rooms = new Map(); // key → what is known of the room
export const make = (tag, name, words = "") => Object.assign(document.createElement(tag), { className: name, textContent: words });
const MARKS = { public: ["#", "public room"], private: ["◈", "private room"], direct: ["@", "direct messages with"] };

// One that I have come into. What is in it up to `seq` is read when it is looked at, the rest comes on the socket.
export function begin(about) {
  const log = Object.assign(document.createElement("ol"), { id: "log" }), item = make("li", ""), button = make("button", "");
  button.dataset.key = about.room;
  item.append(button);
  const room = { key: about.room, about, item, log, seq: about.seq, floor: about.seq, shown: new Map(), fresh: new Set(), late: [], newest: 0, said: "" };
  rooms.set(room.key, room);
  return room;
}
export function nameOf({ about: { kind, name, users = [] } }, isMe) {
  if (kind !== "direct") return name ?? "";
  return users.map(({ username }) => username).filter((one) => !isMe(one)).join(", ") || "notes to yourself";
}
export const markOf = ({ about: { kind } }) => (MARKS[kind] ?? MARKS.public)[0];
const { compare } = new Intl.Collator();
const count = (number) => (number > 999 ? "999+" : String(number));
function badge(number) { // what came unread
  const mark = make("span", "new", number ? count(number) : "");
  if (number) mark.append(make("span", "unseen", number === 1 ? " new message" : " new messages"));
  return mark;
}

// Draws the list, without taking the focus from whoever is in it.
export function draw(chosen, isMe) {
  const all = [...rooms.values()].filter(({ about, isGone }) => !about.hidden || isGone);
  const rank = ({ key, about }) => (key === "general" ? 0 : about.kind === "direct" ? 2 : 1);
  for (const room of all) room.name = nameOf(room, isMe);
  all.sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name) || a.key - b.key);
  for (const room of all) {
    const button = room.item.firstChild, what = (MARKS[room.about.kind] ?? MARKS.public)[1];
    const current = room === chosen ? "true" : null, drawn = [what, room.name, room.fresh.size, room.isGone].join();
    if (button.ariaCurrent !== current) button.ariaCurrent = current;
    if (room.drawn === drawn) continue; // what has not changed stays as it is: there may be many
    room.drawn = drawn;
    const mark = Object.assign(make("span", "mark", markOf(room)), { ariaHidden: "true" });
    button.replaceChildren(mark, make("span", "unseen", `${what} `), make("bdi", "", room.name), badge(room.fresh.size));
    if (room.isGone) button.append(make("small", "", "left"));
  }
  const items = all.map(({ item }) => item), list = $("list");
  if (items.length !== list.children.length || items.some((item, n) => item !== list.children[n])) {
    const { key } = list.contains(document.activeElement) ? document.activeElement.dataset : {};
    list.replaceChildren(...items);
    if (key) (rooms.get(key)?.item.firstChild ?? $("text")).focus();
  }
  const elsewhere = all.reduce((sum, room) => sum + room.fresh.size, 0);
  $("elsewhere").replaceChildren(badge(elsewhere));
  document.title = elsewhere ? `(${count(elsewhere)}) Parlour` : "Parlour";
}
