// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-NzKu8x2I.js","/assets/DateDialog-_96Ia8Me.js","/assets/EmojiPicker-D2qZfwmt.js","/assets/EmojiPicker-DsFmDmTu.js","/assets/History-B0T91K-a.js","/assets/Keys-m8GJC0xW.js","/assets/LaterDialog-CVB3Hy9v.js","/assets/LaterTime-WcRHMDmW.js","/assets/ListView-tR3NE7If.js","/assets/NewDirect-6H7rapbX.js","/assets/NoticesDialog-BivcWp1B.js","/assets/OutboxDialog-Ddvf9hr7.js","/assets/PeopleField-BvqotLBF.js","/assets/PinsPane-Bjkz0MTX.js","/assets/ProfileDialog-BfUARBOc.js","/assets/RoomDialog-D8IGsWL6.js","/assets/StatusDialog-C7BFNsc8.js","/assets/Switcher-BR27QNYn.js","/assets/ThreadPane-BDMkp-un.js","/assets/WhenFields-DdclBJkO.js","/assets/_emoji-CP3nSsAj.js","/assets/de-DE0oFnGq.js","/assets/first-Lr6Dl221.js","/assets/highlight-42sqywiN.js","/assets/index-B3X_ufmt.js","/assets/index-DOJdzD8L.css","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-298cb6ad6cec";
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
