// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-LyinKteZ.js","/assets/DateDialog-DZc-Xbs7.js","/assets/EmojiPicker-BmQ9Z7o5.js","/assets/EmojiPicker-CugaxfM2.js","/assets/History-8iYKciMC.js","/assets/Keys-CumJXYyY.js","/assets/LaterDialog-B45jozBD.js","/assets/LaterTime-SXlUXLis.js","/assets/ListView-BVgQU2Hm.js","/assets/NewDirect-BMjsOu0u.js","/assets/NoticesDialog-CvazuRa3.js","/assets/OutboxDialog-NzIycQ1k.js","/assets/PeopleField-CFY-WWs9.js","/assets/PinsPane-D9xRwAos.js","/assets/ProfileDialog-D3Dhqexu.js","/assets/RoomDialog-CBrb5VjZ.js","/assets/StatusDialog-0BpgNljQ.js","/assets/Switcher-DeMskCAj.js","/assets/ThreadPane-BNdCX--o.js","/assets/WhenFields-D_X3d96X.js","/assets/_emoji-CP3nSsAj.js","/assets/de-CbH76Mw-.js","/assets/first-DOTtONX-.js","/assets/highlight-Cehs9Wnv.js","/assets/index-C8ORvhQb.js","/assets/index-DDMfwJj-.css","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-f8a2aee237b9";
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
