// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Avatar-CsB4zLsD.js","/assets/Browse-C_YpQnZ0.js","/assets/Dialog-DKFXTReK.js","/assets/EmojiPicker-CBtWUOWZ.js","/assets/History-DqE7xyVO.js","/assets/Keys-D82psfMZ.js","/assets/LaterDialog-C3H9DG6o.js","/assets/LaterTime-F675lMDA.js","/assets/MessageState-Bjru8tK8.js","/assets/MessageText-ByoYDdv7.js","/assets/NewDirect-Bx8ncjmC.js","/assets/OutboxDialog-BnhJl70K.js","/assets/PeopleField-CmJxysdT.js","/assets/ProfileDialog-CDTlTJFK.js","/assets/RoomDialog-BEPm6k2b.js","/assets/StatusDialog-CHn1Gut8.js","/assets/Switcher-BwR0o1RY.js","/assets/WhenFields-u7yEf62g.js","/assets/_emoji-CP3nSsAj.js","/assets/actions-DB_jtzWm.js","/assets/context-Ce4r_CWn.js","/assets/de-BDEbJz_r.js","/assets/emoji-BgY98DwR.js","/assets/highlight-DPv8hZDx.js","/assets/index-BRouOG8r.css","/assets/index-IAbxlooI.js","/assets/later-QqagcM-Q.js","/assets/purify.es-Kp7-KIOY.js","/assets/rooms-DlGZTESD.js","/assets/sentence-lprf4YPn.js","/assets/time-1-1LVu3n.js","/assets/tries-BzrMwz2c.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-d853375d3553";
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
