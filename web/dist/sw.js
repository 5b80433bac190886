// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-C7hSAjkt.js","/assets/Card-I5JRjEDp.js","/assets/Confirm-Do7AACFM.js","/assets/DateDialog-DLXjlwg2.js","/assets/Dialog-5q-nzJGv.js","/assets/Door-CTsik4kk.js","/assets/EditBox-CtiZ1C30.js","/assets/EmojiPicker-DzM3pi4N.js","/assets/EmojiPicker-RQomQtG_.js","/assets/History-CmF53889.js","/assets/Keys-ijaILflS.js","/assets/LaterDialog-C_0-69Jn.js","/assets/LaterTime-Do8DH17E.js","/assets/LeftEdit-DTtUeE5N.js","/assets/ListView-CMVpOuuf.js","/assets/MenuLayer-DMSq87xx.js","/assets/NewDirect-BYY6Okqj.js","/assets/NoticesDialog-D5dILcfH.js","/assets/OutboxDialog-YLKVsR2C.js","/assets/PeopleField-5mBkZAgt.js","/assets/PinsPane-DIUIm0kE.js","/assets/ProfileDialog-CDu_04o6.js","/assets/RoomDialog-gwoa-UGF.js","/assets/StatusDialog-Lx_1BxQe.js","/assets/Switcher-DaiCO6gJ.js","/assets/ThreadPane-BbgRg_TA.js","/assets/WhenFields-BzyN6pOq.js","/assets/_emoji-CP3nSsAj.js","/assets/choices-B4LhEUs5.js","/assets/de-DL8QsvyE.js","/assets/dialogs-B62I7ghX.js","/assets/dialogs-f5HqkAGj.js","/assets/first-ByDI6J_D.js","/assets/first-C1r9EspC.css","/assets/format-CrWLT7oO.js","/assets/highlight-BZfJpJq_.js","/assets/index-4HIcvT_L.js","/assets/inside-m24UMoxq.js","/assets/message-menu-CTK14OSF.js","/assets/notices-C6EX--SX.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-BIAmCKy3.js","/assets/soon-0n_TQZJB.js","/assets/zone-DRvAxitg.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-293758302a49";
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
