// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-CpgO0sQc.js","/assets/Card-DMVRh-EO.js","/assets/Confirm-B4xH2vH_.js","/assets/DateDialog-DkH9Xzvz.js","/assets/Dialog-CzQNyS19.js","/assets/EmojiPicker-C99F5iIR.js","/assets/EmojiPicker-DEo1oTX-.js","/assets/History-DpH4_Dbe.js","/assets/Keys-BEOJ_tSE.js","/assets/LaterDialog-DHwf5vNI.js","/assets/LaterTime-D2Yyodcv.js","/assets/ListView-BeRW-wzD.js","/assets/NewDirect-6ruWwATM.js","/assets/NoticesDialog-BU7PXRK0.js","/assets/OutboxDialog-CAr6SQcf.js","/assets/PeopleField-D0oNFDCF.js","/assets/PinsPane-snNhkS-K.js","/assets/ProfileDialog-k2fSFCJu.js","/assets/RoomDialog-Dqh8pjMg.js","/assets/StatusDialog-CdUR7DHI.js","/assets/Switcher-BhVSSbN0.js","/assets/ThreadPane-BouakZHi.js","/assets/WhenFields-CGkUPAtT.js","/assets/_emoji-CP3nSsAj.js","/assets/de-DS4FhXHM.js","/assets/first-BzSi102s.js","/assets/highlight-CpgqtPuu.js","/assets/index-DDMfwJj-.css","/assets/index-dEKzqBsJ.js","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-885d5c46e148";
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
