// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Avatar-BwOLz0g_.js","/assets/Browse-Bssx-dB0.js","/assets/DateDialog-CoKapyYA.js","/assets/Dialog-D98sTf62.js","/assets/EmojiPicker-DZtR8Akc.js","/assets/History-BmCvOhGE.js","/assets/Keys-D6eFO-DY.js","/assets/LaterDialog-ZQ1sZfO0.js","/assets/LaterTime-NWVsegac.js","/assets/MessageState-BxrDW-mu.js","/assets/MessageText-DjFJp6w1.js","/assets/NewDirect-BT3Tispt.js","/assets/NoticesDialog-DvIHVn_8.js","/assets/OutboxDialog-BKc40WSA.js","/assets/PeopleField-5vyINxuB.js","/assets/ProfileDialog-D17jrJ6Z.js","/assets/RoomDialog-BsZGOKxq.js","/assets/StatusDialog-rK2EW9t6.js","/assets/Switcher-CeRwIXS2.js","/assets/WhenFields-DNcv-HaB.js","/assets/_emoji-CP3nSsAj.js","/assets/actions-CKyuc06S.js","/assets/context-DV0BLfsF.js","/assets/de-BLuqNWKD.js","/assets/emoji-BUhsIaHN.js","/assets/highlight-BgnbZi_g.js","/assets/index-DOcpxGbp.css","/assets/index-NHAfeJcj.js","/assets/later-CR77o97H.js","/assets/notices-CN_v7QFT.js","/assets/purify.es-D2gWityX.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/rooms-I3EQowMg.js","/assets/router.svelte-IeEqrGZR.js","/assets/sentence-lprf4YPn.js","/assets/time-1-1LVu3n.js","/assets/tries-Cjnw5_0J.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-1da7fe615ab0";
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
