// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-DZvVZa67.js","/assets/Card-BqGQUajP.js","/assets/Confirm-dn8BfD-p.js","/assets/DateDialog-Bwkmpbhk.js","/assets/Dialog-C2cEt8ij.js","/assets/Door-D1QzwS83.js","/assets/EmojiPicker-BFOj1QrL.js","/assets/EmojiPicker-DSQ_9u9M.js","/assets/History-B0Wt8ezV.js","/assets/Keys-BDCaASUr.js","/assets/LaterDialog-COBd5iSU.js","/assets/LaterTime-BT7qVe0F.js","/assets/LeftEdit-CXv1fhfm.js","/assets/ListView-CMs6YlCT.js","/assets/NewDirect-BPkAFoqi.js","/assets/NoticesDialog-BUGIWleU.js","/assets/OutboxDialog-C7BEKOA5.js","/assets/PeopleField-D-OGVFTJ.js","/assets/PinsPane-B5tQSKU8.js","/assets/ProfileDialog-Dqi7UC0e.js","/assets/RoomDialog-BrHx_4sr.js","/assets/StatusDialog-CMvpv39h.js","/assets/Switcher-4ZC4_JOU.js","/assets/ThreadPane-ttXhS2kn.js","/assets/WhenFields-5uE1VPwi.js","/assets/_emoji-CP3nSsAj.js","/assets/choices-C-njNXBD.js","/assets/de-CKviP1r-.js","/assets/dialogs-Bk3Kqc1b.js","/assets/dialogs-CsEpJlSK.js","/assets/first-C9dz1x_V.js","/assets/first-oY0LJNcV.css","/assets/highlight-CMog-9_p.js","/assets/inside-DaeDCzb9.js","/assets/notices-Bginp0Sg.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-NmQEBCEw.js","/assets/soon-C2fYkKbr.js","/assets/zone-DhmhmZDZ.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-bd3beede31a0";
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
