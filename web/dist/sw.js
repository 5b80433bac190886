// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-Cvu4L9q3.js","/assets/DateDialog-DEmyt8bF.js","/assets/EmojiPicker-BLXUoln-.js","/assets/EmojiPicker-BxPByFne.js","/assets/History-D5KlAYPS.js","/assets/Keys-ChNGO-ft.js","/assets/LaterDialog-CCHOwt2-.js","/assets/LaterTime-1dRQYdKE.js","/assets/ListView-pM4hPyid.js","/assets/NewDirect-DY4Yw6VO.js","/assets/NoticesDialog-bfbYnyzt.js","/assets/OutboxDialog-DyZD4zI0.js","/assets/PeopleField-B2kgYzk9.js","/assets/PinsPane-Du6XfYaX.js","/assets/ProfileDialog-B8KxyDvo.js","/assets/RoomDialog-fWg9oVgj.js","/assets/StatusDialog-BiFEnZen.js","/assets/Switcher-BtSnCEpc.js","/assets/ThreadPane-Bwcseq3K.js","/assets/WhenFields-BUW9MSLO.js","/assets/_emoji-CP3nSsAj.js","/assets/de-DU7nvrao.js","/assets/first-DjcbJx_Y.js","/assets/highlight-m8OsMCgK.js","/assets/index-DDMfwJj-.css","/assets/index-DS9BD0EL.js","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-901b5cc3ca64";
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
