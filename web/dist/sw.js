// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Avatar-ZlHmhtpl.js","/assets/Browse-B8zWggYR.js","/assets/Dialog-BVyo6ziA.js","/assets/EmojiPicker-BA1sLAX9.js","/assets/History-BWLed03W.js","/assets/Keys-CK5Af3CG.js","/assets/MessageState-B5759qij.js","/assets/MessageText-Conz0vr2.js","/assets/NewDirect-B5hiXncL.js","/assets/OutboxDialog-CIeoADcX.js","/assets/PeopleField-B9cbFksf.js","/assets/ProfileDialog-DPYuNrHT.js","/assets/RoomDialog-DGI2J85q.js","/assets/StatusDialog-6B_GgqQA.js","/assets/Switcher-Cc5Iwvat.js","/assets/_emoji-CP3nSsAj.js","/assets/actions-DK6sDQuo.js","/assets/context-_czjBfJp.js","/assets/de-5MnbvMLB.js","/assets/emoji-PBhx0sJ6.js","/assets/highlight-DPv8hZDx.js","/assets/index-CkJ1M9al.js","/assets/index-DVZde_lf.css","/assets/purify.es-Kp7-KIOY.js","/assets/rooms-tfgXTXjO.js","/assets/time-DS6Dd09P.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-75a481341d84";
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
