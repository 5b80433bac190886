// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-C16xFlCy.js","/assets/DateDialog-CBBHwVdn.js","/assets/EmojiPicker-BBKycDwZ.js","/assets/EmojiPicker-Dq-Iqkz1.js","/assets/History-DAdRqd4T.js","/assets/Keys-6iE4rQAX.js","/assets/LaterDialog-BXLGbrU2.js","/assets/LaterTime-sr-bhEho.js","/assets/ListView-CSmJ3ZOf.js","/assets/NewDirect-Cks6SP9m.js","/assets/NoticesDialog-DgybQtJ6.js","/assets/OutboxDialog-BYDmJmgA.js","/assets/PeopleField-B7YRivK2.js","/assets/PinsPane-DYJ-x7ac.js","/assets/ProfileDialog-Sewj2lSw.js","/assets/RoomDialog-B6FUumC0.js","/assets/StatusDialog-CT0eK5uh.js","/assets/Switcher-BG2ygk0E.js","/assets/ThreadPane-COzDlG8f.js","/assets/WhenFields-C4UmA6lb.js","/assets/_emoji-CP3nSsAj.js","/assets/de-DeSf-gt7.js","/assets/first-ytVLGQdu.js","/assets/highlight-CkbT6Iho.js","/assets/index-DOJdzD8L.css","/assets/index-Dd2FdPHH.js","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-fcd531ff697a";
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
