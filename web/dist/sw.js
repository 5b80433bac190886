// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-BJyAi754.js","/assets/Card-B8qDptH1.js","/assets/Confirm-Bfrqq2Ht.js","/assets/DateDialog-CDHEFmcp.js","/assets/Dialog-Dy9J47t6.js","/assets/Door-OP28pHDS.js","/assets/EmojiPicker-aCOgH1JQ.js","/assets/History-DlGZdHje.js","/assets/Keys-BCnRiSck.js","/assets/LaterDialog-DGo5BQ3r.js","/assets/LaterTime-g8GAQVQF.js","/assets/LeftEdit-ZAH53sCm.js","/assets/ListView-DuNT4XW3.js","/assets/NewDirect-CgZ5ltPB.js","/assets/NoticesDialog-CtrMgVoO.js","/assets/OutboxDialog-ITObN5Nk.js","/assets/PeopleField-B7BYPV7K.js","/assets/PinsPane-DE7v-Cl5.js","/assets/ProfileDialog-DvtykATC.js","/assets/RoomDialog-CXKHQios.js","/assets/StatusDialog-lS3nT8Rm.js","/assets/Switcher-CCZ8ssf7.js","/assets/ThreadPane-OOdHbBtp.js","/assets/WhenFields-DbbHHa_i.js","/assets/_emoji-CP3nSsAj.js","/assets/de-D_8YG70y.js","/assets/dialogs-DU-f3BK9.js","/assets/dialogs-Db6RR83N.js","/assets/first-C4-xpANJ.css","/assets/first-CG309ATP.js","/assets/highlight-DhtfIKS_.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-DTgVp3hx.js","/assets/soon-C2L3HzR8.js","/assets/zone-CdtX8hDC.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-488af58e6dee";
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
