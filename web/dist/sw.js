// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-CjqEeu6D.js","/assets/DateDialog--D3TbgW4.js","/assets/EmojiPicker-XV9wG_WH.js","/assets/History-CTpvuEmV.js","/assets/Keys-B71AvcOY.js","/assets/LaterDialog-zCcOcz9q.js","/assets/LaterTime-BdYhgVCs.js","/assets/NewDirect-rpH-khjW.js","/assets/NoticesDialog-1yZNEnLp.js","/assets/OutboxDialog-Pcnaz9AU.js","/assets/PeopleField-B_ttXq3F.js","/assets/ProfileDialog-DwT13uLi.js","/assets/RoomDialog-BkJh_8B9.js","/assets/StatusDialog-C9HQPGr1.js","/assets/Switcher-BXyev-Dq.js","/assets/WhenFields-B10Xi6dz.js","/assets/_emoji-CP3nSsAj.js","/assets/de-DLXfpRlO.js","/assets/first-CzJWfeOF.js","/assets/highlight-DVJBok4z.js","/assets/index-BRouOG8r.css","/assets/index-C-JQd8NG.js","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-4fa74ee3f12b";
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
