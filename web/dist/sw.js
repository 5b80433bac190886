// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-4iV_fk7P.js","/assets/Card-BREdZ3_B.js","/assets/Confirm-yEaBngD9.js","/assets/DateDialog-1y6B8K08.js","/assets/Dialog-DtToALWz.js","/assets/EmojiPicker-DZMjpiUz.js","/assets/EmojiPicker-gUN5BY53.js","/assets/History-2XATZRRe.js","/assets/Keys-BZ_Uxf8f.js","/assets/LaterDialog-B35QM8-6.js","/assets/LaterTime-B7yuIsdK.js","/assets/ListView-s5G0UrkI.js","/assets/NewDirect-nchVlCqq.js","/assets/NoticesDialog-BvNOJJEF.js","/assets/OutboxDialog-Bc3UMqSd.js","/assets/PeopleField-B-IkkxCq.js","/assets/PinsPane-CTdTjLHR.js","/assets/ProfileDialog-B_bQmL-N.js","/assets/RoomDialog-ByWeMuiX.js","/assets/StatusDialog-Cd0qYlHs.js","/assets/Switcher-DIGuUp0l.js","/assets/ThreadPane-3FzTCEEV.js","/assets/WhenFields-UZPi_lEr.js","/assets/_emoji-CP3nSsAj.js","/assets/de-C-CvUNhi.js","/assets/first-DtWsWQVV.js","/assets/highlight-LNcVemN0.js","/assets/index-BwFRcjIy.js","/assets/index-CFHiSb13.css","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-9cc218bd7518";
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
