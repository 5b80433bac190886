// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-D-Yb-quN.js","/assets/Card-CR1Zvoq4.js","/assets/Confirm-JIgRto3S.js","/assets/DateDialog-1D66MEk3.js","/assets/Dialog-DqmaJhTp.js","/assets/Door-DGeyCzjV.js","/assets/EmojiPicker-YgLcGnpj.js","/assets/History-Bji_qCDk.js","/assets/Keys-BEqD2hQZ.js","/assets/LaterDialog-D5LUq9LH.js","/assets/LaterTime-CmtlDDmE.js","/assets/LeftEdit-BLVJk9EB.js","/assets/ListView-DYq8-9Bm.js","/assets/NewDirect-CCyLb2_B.js","/assets/NoticesDialog-ZUOGswl2.js","/assets/OutboxDialog-hCNgFG-M.js","/assets/PeopleField-Cq7DDWIM.js","/assets/PinsPane-Dx5hPhTj.js","/assets/ProfileDialog-BTCZSPvI.js","/assets/RoomDialog-NQDBClEq.js","/assets/StatusDialog-BXDOsgcJ.js","/assets/Switcher-CHZxcf9U.js","/assets/ThreadPane-BG5jFsO_.js","/assets/WhenFields-p9NgOeuN.js","/assets/_emoji-CP3nSsAj.js","/assets/de-VPy4kztk.js","/assets/dialogs-B1YZ-BJe.js","/assets/dialogs-BBMWRz7u.js","/assets/first-BhHpLKkl.js","/assets/first-C4-xpANJ.css","/assets/highlight-BcPm1ECn.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-42TpdN9y.js","/assets/soon-B2Bglp_X.js","/assets/zone-C9MkfamU.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-985a0005ccbe";
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
