// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-NQlrfwlJ.js","/assets/Card-CNwyLVy7.js","/assets/Confirm-ApJ-6O1m.js","/assets/DateDialog-DiPSosbZ.js","/assets/Dialog-B7rcuJMM.js","/assets/Door-Buerh4uM.js","/assets/EmojiPicker-BFU7uv3u.js","/assets/EmojiPicker-CeaqjF2j.js","/assets/History-CNDHofO0.js","/assets/Keys-Cg5vN-9y.js","/assets/LaterDialog-9lJ4BSCX.js","/assets/LaterTime-CAq08ESJ.js","/assets/LeftEdit-hXgqLznH.js","/assets/ListView-CdWvHkCx.js","/assets/NewDirect-ItpRxp6s.js","/assets/NoticesDialog-DUNfFVDH.js","/assets/OutboxDialog-HW69mQT0.js","/assets/PeopleField-1bO899mL.js","/assets/PinsPane-DPOdhsgu.js","/assets/ProfileDialog-CyDnDb_1.js","/assets/RoomDialog-Bdc90OzP.js","/assets/StatusDialog-D8fLTVGA.js","/assets/Switcher-BO5I5mee.js","/assets/ThreadPane-BxGCXXyK.js","/assets/WhenFields-CwVUoCev.js","/assets/_emoji-CP3nSsAj.js","/assets/choices-Cs3sRTF2.js","/assets/de-wZkgcqzs.js","/assets/dialogs-B2bNtBJQ.js","/assets/dialogs-BtK3LwK7.js","/assets/first-BKrk3nZN.js","/assets/first-oY0LJNcV.css","/assets/highlight-DJRkvQVe.js","/assets/inside-BaUR_sAe.js","/assets/notices-CCAKCSwF.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-BgudGPJw.js","/assets/soon-btizCkvj.js","/assets/zone-DVPcQU3q.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-5b90e50d357b";
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
