// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-CeICpBp6.js","/assets/Card-xwhbD1si.js","/assets/Confirm-BPG9oAe7.js","/assets/DateDialog-txAlA42-.js","/assets/Dialog-bo-NtUj5.js","/assets/Door-4dineZ6x.js","/assets/EmojiPicker-BkNj0GZd.js","/assets/History-BoDxJwaU.js","/assets/Keys-ZY_b6Wr4.js","/assets/LaterDialog-B2AGb5bp.js","/assets/LaterTime-Bs5UABP_.js","/assets/LeftEdit-iP0Cvqzr.js","/assets/ListView-DIhDxhaz.js","/assets/NewDirect-DQFLpFYv.js","/assets/NoticesDialog-BMSrbzs6.js","/assets/OutboxDialog-Bb0RZYws.js","/assets/PeopleField-BNvNEwJQ.js","/assets/PinsPane-BccmweX6.js","/assets/ProfileDialog-4LRM09O-.js","/assets/RoomDialog-BBE5h6_O.js","/assets/StatusDialog-C7NIXitW.js","/assets/Switcher-BRdMzTPB.js","/assets/ThreadPane-DKFSonZT.js","/assets/WhenFields-CHswDS1v.js","/assets/_emoji-CP3nSsAj.js","/assets/de-EPxT6G4-.js","/assets/dialogs-B-kbZjJ6.js","/assets/dialogs-CKzpT2fX.js","/assets/first-C4-xpANJ.css","/assets/first-eCxIEasS.js","/assets/highlight-By28btq5.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-CDcy3AvY.js","/assets/soon-CCufJTsr.js","/assets/zone-DMguJsN3.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-c73b3c6e9123";
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
