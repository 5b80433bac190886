// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-Cm_-ZSNR.js","/assets/DateDialog-Dgvb9zjV.js","/assets/EmojiPicker-CBqEb1ih.js","/assets/EmojiPicker-xugJNbLm.js","/assets/History-BG2uu06q.js","/assets/Keys-CYEjjDaF.js","/assets/LaterDialog-Cv3oN4hu.js","/assets/LaterTime-BUtVidJ4.js","/assets/ListView-DQEkFb4r.js","/assets/NewDirect-DwwnHYwT.js","/assets/NoticesDialog-DSNEFBMi.js","/assets/OutboxDialog-BLEES5pE.js","/assets/PeopleField-CCI4JE1j.js","/assets/PinsPane-BWBAGyDM.js","/assets/ProfileDialog-BNK33-2O.js","/assets/RoomDialog-DtblTU5S.js","/assets/StatusDialog-EtUJpr-0.js","/assets/Switcher-CBtN29Xs.js","/assets/ThreadPane-z03cQ3Y2.js","/assets/WhenFields-D7Qtif6M.js","/assets/_emoji-CP3nSsAj.js","/assets/de-DdODVpKi.js","/assets/first-CQ65k8gI.js","/assets/highlight-DlpnLVK9.js","/assets/index-CofZWmH9.js","/assets/index-DOJdzD8L.css","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-e59dc649a789";
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
