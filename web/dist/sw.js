// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-Uqx_wZGt.js","/assets/Card-DtLCNcet.js","/assets/DateDialog-B_ci27Of.js","/assets/EmojiPicker-BpOnbuIZ.js","/assets/EmojiPicker-DQEyfkhb.js","/assets/History-DecyyvmB.js","/assets/Keys-Bu9oJilq.js","/assets/LaterDialog-DeiR6kfI.js","/assets/LaterTime-gEDYArm3.js","/assets/ListView-C1l5N34G.js","/assets/NewDirect-hKZb1rA8.js","/assets/NoticesDialog-DtOIDCur.js","/assets/OutboxDialog-C-q7J_yD.js","/assets/PeopleField-CXT3QPh3.js","/assets/PinsPane-wB79pJ8y.js","/assets/ProfileDialog-B3U6viYQ.js","/assets/RoomDialog-ByYxNqm0.js","/assets/StatusDialog-Dm8BIyZM.js","/assets/Switcher-G84RVZTJ.js","/assets/ThreadPane-DeH0NwXK.js","/assets/WhenFields-Dae53LQN.js","/assets/_emoji-CP3nSsAj.js","/assets/de-z5cx0RWl.js","/assets/first-aN6q-OQ1.js","/assets/highlight-CMbvz_rE.js","/assets/index-DDMfwJj-.css","/assets/index-DPOAN0Ar.js","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-085e258fe410";
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
