// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-BZnF97ti.js","/assets/Card-wmFMJU2I.js","/assets/Confirm-CaoWEzIF.js","/assets/DateDialog-BwIvhjgF.js","/assets/Dialog-CUpKS6_J.js","/assets/EmojiPicker-CpgMOoI0.js","/assets/EmojiPicker-WDMsXtEe.js","/assets/History-DXPOKhT-.js","/assets/Keys-CJFLO2U6.js","/assets/LaterDialog-4Dv6ULDW.js","/assets/LaterTime-B_TCj4ij.js","/assets/ListView-Cj8WRCnh.js","/assets/NewDirect-B5EdSMa1.js","/assets/NoticesDialog-BlXyKmqR.js","/assets/OutboxDialog-BZTP6ott.js","/assets/PeopleField-BlXacyCi.js","/assets/PinsPane-DevgBtoc.js","/assets/ProfileDialog-C3gP4zv1.js","/assets/RoomDialog-De--_x4I.js","/assets/StatusDialog-B4kNwAGQ.js","/assets/Switcher-CwklNZPo.js","/assets/ThreadPane-B5I6xzRM.js","/assets/WhenFields-Bq-OSxN_.js","/assets/_emoji-CP3nSsAj.js","/assets/de-DiN5hcDo.js","/assets/first-BHPH3xHi.js","/assets/highlight-DSVkKTru.js","/assets/index-DDMfwJj-.css","/assets/index-DnOWQvct.js","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-a4e7520b0929";
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
