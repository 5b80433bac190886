// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-n1aaribf.js","/assets/Card-BAwB5VrX.js","/assets/Confirm-4HJsml6v.js","/assets/DateDialog-Rcpb7qTj.js","/assets/Dialog-koYEw9x9.js","/assets/EmojiPicker-CJx-C8tw.js","/assets/EmojiPicker-WZKS3EZB.js","/assets/History-wbmD8EXu.js","/assets/Keys-CYyzTewX.js","/assets/LaterDialog-DUFhPOTg.js","/assets/LaterTime-CRSyZHL_.js","/assets/ListView-NZYWlDrA.js","/assets/NewDirect-Cx4JYz_I.js","/assets/NoticesDialog-COApsfSn.js","/assets/OutboxDialog-Lg7vjjlV.js","/assets/PeopleField-Bhfc4PX8.js","/assets/PinsPane-BUBvnN1D.js","/assets/ProfileDialog-CUqMOo25.js","/assets/RoomDialog-BVza2ljM.js","/assets/StatusDialog-DVioGexB.js","/assets/Switcher-D85273SH.js","/assets/ThreadPane-3L-ov9Jf.js","/assets/WhenFields-Cze2I7M2.js","/assets/_emoji-CP3nSsAj.js","/assets/de-KNwB00mq.js","/assets/first-Cp-g4IaK.js","/assets/highlight-DNsiPNqM.js","/assets/index-DDMfwJj-.css","/assets/index-YdOhcRTN.js","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-12aa5c83168c";
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
