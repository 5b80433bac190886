// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-BrYxhNcB.js","/assets/Card-DxI7WB68.js","/assets/DateDialog-BLfGC94e.js","/assets/EmojiPicker-C-cBaTFi.js","/assets/EmojiPicker-Dnr5vN_h.js","/assets/History-D6XKX9vm.js","/assets/Keys-BrFFkUTx.js","/assets/LaterDialog-DQJMWvTb.js","/assets/LaterTime-CFoCrD4F.js","/assets/ListView-BKr-p09Z.js","/assets/NewDirect-DYFlBMp3.js","/assets/NoticesDialog-bpTphcbR.js","/assets/OutboxDialog-C-_nxX7P.js","/assets/PeopleField-6iDc7ILh.js","/assets/PinsPane-BZgM4M02.js","/assets/ProfileDialog-eWBy_tdI.js","/assets/RoomDialog-rULW75KU.js","/assets/StatusDialog-CN0FqEdZ.js","/assets/Switcher-Bczk9TAQ.js","/assets/ThreadPane-DZmzzz_Q.js","/assets/WhenFields-BgI2RhTB.js","/assets/_emoji-CP3nSsAj.js","/assets/de-CTjNOoZq.js","/assets/first-D-0dSwvi.js","/assets/highlight-DT6TuKaW.js","/assets/index-BGFdidly.js","/assets/index-DDMfwJj-.css","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-7da1c3d54476";
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
