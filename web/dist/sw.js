// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Avatar-Dv0FByp1.js","/assets/Browse-D4efYH34.js","/assets/Dialog-C3ImF5sa.js","/assets/EmojiPicker-B_xAkBSv.js","/assets/History-DWz5ElZC.js","/assets/Keys-BjhjFhGt.js","/assets/MessageState-CdHAVncK.js","/assets/MessageText-D1KkiW_1.js","/assets/NewDirect-CKCkCBG-.js","/assets/OutboxDialog-h5d-7orL.js","/assets/PeopleField-Ddhqv1aM.js","/assets/ProfileDialog-DYBer1lN.js","/assets/RoomDialog-C13U9_f4.js","/assets/StatusDialog-CT-3lOsR.js","/assets/Switcher-r2n2DzCw.js","/assets/_emoji-CP3nSsAj.js","/assets/actions-BQLcwK1d.js","/assets/context-DWsmfc-u.js","/assets/de-Deangkze.js","/assets/emoji-DaMtCFF4.js","/assets/highlight-DPv8hZDx.js","/assets/index-BtHU3z48.js","/assets/index-CBwhRsNI.css","/assets/purify.es-Kp7-KIOY.js","/assets/rooms-Ch_cnI_K.js","/assets/time-DS6Dd09P.js"];
const SHELL = "/next";
const CACHE = "parlour-96339d9c7d93";
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
  const kept = await cache.match(SHELL);
  try {
    const answer = await fetch(address, kept ? { signal: AbortSignal.timeout(PATIENCE) } : {});
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
  if (request.mode === "navigate" && (pathname === SHELL || pathname.startsWith(`${SHELL}/`))) event.respondWith(page(request.url));
  else if (pathname.startsWith("/assets/")) event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});
