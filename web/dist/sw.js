// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-DE6rBaXM.js","/assets/Card-GzHmvPfo.js","/assets/Confirm-emTggBtk.js","/assets/DateDialog-DtaB5ZDR.js","/assets/Dialog-DTBP3cKr.js","/assets/Door-CJ8p-LR8.js","/assets/EmojiPicker-qhjQtehs.js","/assets/History-iFLzzdL_.js","/assets/Keys-CWVpN2VX.js","/assets/LaterDialog-D2JjolE3.js","/assets/LaterTime-9jPmX_fi.js","/assets/LeftEdit-C5rEncyo.js","/assets/ListView-xsJhQdZv.js","/assets/NewDirect-BWkeJeJx.js","/assets/NoticesDialog-CiFfA2bX.js","/assets/OutboxDialog-DeswAiD5.js","/assets/PeopleField-GrDV94xi.js","/assets/PinsPane-BafMyp5E.js","/assets/ProfileDialog-DIQ12s56.js","/assets/RoomDialog-D5uZ-7J2.js","/assets/StatusDialog-_LMg2NTk.js","/assets/Switcher-D6jGN9rj.js","/assets/ThreadPane-CIvr8sAj.js","/assets/WhenFields-Bc9gbXq8.js","/assets/_emoji-CP3nSsAj.js","/assets/de-BGXdn1yu.js","/assets/dialogs-CrylcsGe.js","/assets/dialogs-OvplqQzs.js","/assets/first-C4-xpANJ.css","/assets/first-vKVR32er.js","/assets/highlight-DcYljysr.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-FnTtjcqg.js","/assets/soon-Dp9zMTJN.js","/assets/zone-BSRnYdd9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-a613294c685e";
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
