// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-B7Wnxv4I.js","/assets/DateDialog-BGmoGfoj.js","/assets/EmojiPicker-COCe2LHa.js","/assets/EmojiPicker-WuW0sVR2.js","/assets/History-DD4NNaAh.js","/assets/Keys-CRUVIlmk.js","/assets/LaterDialog-Blr7S9rA.js","/assets/LaterTime-p9U2dxtN.js","/assets/ListView-Dwzbhw-j.js","/assets/NewDirect-C0GmELha.js","/assets/NoticesDialog-O63aYl3H.js","/assets/OutboxDialog-BDZcVsNa.js","/assets/PeopleField-C0sTtZeJ.js","/assets/PinsPane-BjdwCqA-.js","/assets/ProfileDialog-Yv5K45K4.js","/assets/RoomDialog-DhzjfoqT.js","/assets/StatusDialog-BQlyUFRe.js","/assets/Switcher-CvIspgJo.js","/assets/ThreadPane-DozuDc_o.js","/assets/WhenFields-CBo_jfU1.js","/assets/_emoji-CP3nSsAj.js","/assets/de-CQZ4gZSh.js","/assets/first-C06YChBB.js","/assets/highlight-DOe0EF5A.js","/assets/index-B9lzIXVP.js","/assets/index-DOJdzD8L.css","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-47a6032ffbb2";
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
