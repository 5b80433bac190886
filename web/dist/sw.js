// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Avatar-CdCf2KQO.js","/assets/Browse-DIJX8Cso.js","/assets/DateDialog-Dem7YUx_.js","/assets/Dialog-CzmFu3G0.js","/assets/EmojiPicker-QYaGtthf.js","/assets/History-B2H880gt.js","/assets/Keys-BlxguD8W.js","/assets/LaterDialog-DV4-8imF.js","/assets/LaterTime-D82dfRUH.js","/assets/MessageState-9AK8Gheq.js","/assets/MessageText-C2MInIVB.js","/assets/NewDirect-BWFeRolh.js","/assets/NoticesDialog-UApJmPxX.js","/assets/OutboxDialog-BlBRXF4n.js","/assets/PeopleField-Cwz9gNNW.js","/assets/ProfileDialog-bhoO56mB.js","/assets/RoomDialog-CLFqgfKK.js","/assets/StatusDialog-DktQynvw.js","/assets/Switcher-BY07yflz.js","/assets/WhenFields-adda8P84.js","/assets/_emoji-CP3nSsAj.js","/assets/actions-BVEhsJHI.js","/assets/context-cpFQKJY8.js","/assets/de-A5qOAfLe.js","/assets/emoji-qvGqI5Gm.js","/assets/highlight-iMnPa4Pc.js","/assets/index-BRouOG8r.css","/assets/index-Bi6DTFb4.js","/assets/later-Dn8XOoKy.js","/assets/notices-D62aCXFO.js","/assets/purify.es-D2gWityX.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/rooms-CQqBxBeI.js","/assets/router.svelte-DmDbi_EW.js","/assets/sentence-lprf4YPn.js","/assets/time-1-1LVu3n.js","/assets/tries-B-bT7aTD.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-295fa109d8a6";
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
