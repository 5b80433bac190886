// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-wTYfxqe-.js","/assets/Card-Dh6tl0Tn.js","/assets/Confirm-BhZB7u6t.js","/assets/DateDialog-CZXbkhS-.js","/assets/Dialog-DvIxgvFu.js","/assets/Door-43NFSYKu.js","/assets/EmojiPicker-BIcMEdY8.js","/assets/History-NPynxf_c.js","/assets/Keys-BXpPfpuc.js","/assets/LaterDialog-BPfvpdEp.js","/assets/LaterTime-CJ9gUUpZ.js","/assets/LeftEdit-Cb-lFTxX.js","/assets/ListView-B9MC4wZ_.js","/assets/NewDirect-DzuCQG3I.js","/assets/NoticesDialog-DIsJ3mG6.js","/assets/OutboxDialog-Ca3fV-q8.js","/assets/PeopleField-y_JEcHV9.js","/assets/PinsPane-hjf6frUT.js","/assets/ProfileDialog-Bxz21xlA.js","/assets/RoomDialog-DO9q5pqx.js","/assets/StatusDialog-Dq09YLv3.js","/assets/Switcher-B8a55bhN.js","/assets/ThreadPane-B5WdtFcm.js","/assets/WhenFields-Dd7bJ66B.js","/assets/_emoji-CP3nSsAj.js","/assets/de-CVrRkAaj.js","/assets/dialogs-CL90cZfH.js","/assets/dialogs-fu316YEy.js","/assets/first-C4-xpANJ.css","/assets/first-XG_kjBs3.js","/assets/highlight-CMXMzxbu.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-Dfxu7lnO.js","/assets/soon-2O4jB8NW.js","/assets/zone-Br4je--4.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-03d99b8ba8a8";
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
