// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-B1OxLGBk.js","/assets/Card-BDqS7jj4.js","/assets/Confirm-BGlAbZw8.js","/assets/DateDialog-DFs_eK6O.js","/assets/Dialog-CFzOMnty.js","/assets/Door-BEUkGJU4.js","/assets/EmojiPicker-DkvzwiVo.js","/assets/History-Bg4fKwMM.js","/assets/Keys-rbYQZYBG.js","/assets/LaterDialog-f6CFRRUJ.js","/assets/LaterTime-DUueRCPN.js","/assets/LeftEdit-iTTk_dPa.js","/assets/ListView-CmmPhxfu.js","/assets/NewDirect-BP2iT_Pe.js","/assets/NoticesDialog-qcQXzIbc.js","/assets/OutboxDialog-D9fIeCAu.js","/assets/PeopleField-G6jtBIjQ.js","/assets/PinsPane-Bx9tMo7-.js","/assets/ProfileDialog-yvSuIlih.js","/assets/RoomDialog-DuSphWlw.js","/assets/StatusDialog-v4c1jGce.js","/assets/Switcher-CUuYIh5f.js","/assets/ThreadPane-CqfN_oMY.js","/assets/WhenFields-CBNZTQGk.js","/assets/_emoji-CP3nSsAj.js","/assets/de-B6q_FZbA.js","/assets/dialogs-91GDkuwn.js","/assets/dialogs-B6FysXpm.js","/assets/first-C4-xpANJ.css","/assets/first-YSQ4qrex.js","/assets/highlight--qbvVhkV.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-Yz6mSjXq.js","/assets/soon-D_WKihHa.js","/assets/zone-CYALtQO5.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-e12dd00fb29d";
/** How long the server may take before the page that is kept is shown. */
const PATIENCE = 3_000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([SHELL, ...FILES])));
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener("message", ({ data }) => {
  if (data === "take over") void self.skipWaiting();
});

/** The server's page, or the one that is kept, when there is no connection or it is slow. */
async function page(address) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(SHELL, { ignoreVary: true });
  try {
    const answer = await fetch(address, { headers: SHELL.headers, ...(kept && { signal: AbortSignal.timeout(PATIENCE) }) });
    return answer.ok || !kept ? answer : kept;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (origin !== location.origin || request.method !== "GET") return;
  if (request.mode === "navigate" && VIEW.test(pathname)) event.respondWith(page(request.url));
  // What is under such a name is the same for everyone, whatever the answer said that it differs by.
  else if (pathname.startsWith("/assets/")) event.respondWith(caches.match(request, { ignoreVary: true }).then((kept) => kept ?? fetch(request)));
});
