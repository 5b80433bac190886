// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Avatar-B_Af51Zb.js","/assets/Browse-Cqsych3E.js","/assets/Dialog-BU96wYQD.js","/assets/EmojiPicker-CIZ7sd3_.js","/assets/History-BM7-lI_n.js","/assets/Keys-DwuGTA8U.js","/assets/MessageState-CKv2I6fa.js","/assets/MessageText-Cs0cGAAW.js","/assets/NewDirect-BmZpyFRD.js","/assets/OutboxDialog-dWvZVDrx.js","/assets/PeopleField-BUXu3Xn7.js","/assets/ProfileDialog-C4BLPbWm.js","/assets/RoomDialog-BMsKgWUo.js","/assets/StatusDialog-SsjHdErj.js","/assets/Switcher-Byq4Uyld.js","/assets/_emoji-CP3nSsAj.js","/assets/actions-C9wYnJT4.js","/assets/context-D30uouy0.js","/assets/de-Deangkze.js","/assets/emoji-BiEK9CbJ.js","/assets/highlight-DPv8hZDx.js","/assets/index-DNeFZWY-.js","/assets/index-fuWOz2Ie.css","/assets/purify.es-Kp7-KIOY.js","/assets/rooms--vMIzNao.js","/assets/time-DS6Dd09P.js"];
const SHELL = "/next";
const CACHE = "parlour-f3c25e286af4";
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
async function page(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(SHELL);
  try {
    const answer = await fetch(request, { signal: kept ? AbortSignal.timeout(PATIENCE) : undefined });
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
  if (request.mode === "navigate" && (pathname === SHELL || pathname.startsWith(`${SHELL}/`))) event.respondWith(page(request));
  else if (pathname.startsWith("/assets/")) event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});
