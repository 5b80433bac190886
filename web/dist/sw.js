// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Avatar-D-I6BJkb.js","/assets/Browse-Bq0gTUdH.js","/assets/Dialog-DZ_m33Lo.js","/assets/EmojiPicker-DqnSH6pZ.js","/assets/History-BjxGi1FV.js","/assets/Keys-DU-0gGea.js","/assets/LaterDialog-j8tuphRC.js","/assets/LaterTime-DwSB8ZLL.js","/assets/MessageState-DQNNDL85.js","/assets/MessageText-B5650NL1.js","/assets/NewDirect-DfEmbmiE.js","/assets/NoticesDialog-ydNKSvQz.js","/assets/OutboxDialog-XlLeghPo.js","/assets/PeopleField-B1xLwdtr.js","/assets/ProfileDialog-SQaZbEdj.js","/assets/RoomDialog-CS5jO4nY.js","/assets/StatusDialog-Ce6hAsCQ.js","/assets/Switcher-BAM1e9zO.js","/assets/WhenFields-zVkeyFJ7.js","/assets/_emoji-CP3nSsAj.js","/assets/actions-D64KDrFl.js","/assets/context-C1zlWDnG.js","/assets/de-DRiftqF3.js","/assets/emoji-ks0rO_vg.js","/assets/highlight-iMnPa4Pc.js","/assets/index-BRouOG8r.css","/assets/index-DAp5YX2z.js","/assets/later-DvL1tLxI.js","/assets/notices-U-M5gvv7.js","/assets/purify.es-D2gWityX.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/rooms-ErCKAke6.js","/assets/router.svelte-DN_IxsH9.js","/assets/sentence-lprf4YPn.js","/assets/time-1-1LVu3n.js","/assets/tries-Bzb1x6lv.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-cb97b0251fae";
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
