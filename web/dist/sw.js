// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-DRlCcpqY.js","/assets/DateDialog-DPZojo0R.js","/assets/EmojiPicker-I2q7REfk.js","/assets/EmojiPicker-ORmSXV1d.js","/assets/History-CQgZMFyc.js","/assets/Keys-lDxAzu1A.js","/assets/LaterDialog-uvbOHhOA.js","/assets/LaterTime-YN0rFG1L.js","/assets/ListView-CzNtzZMN.js","/assets/NewDirect-DiEvKGn2.js","/assets/NoticesDialog-Dx3DzDuw.js","/assets/OutboxDialog-lWNI8L6x.js","/assets/PeopleField-Dj8lG-JU.js","/assets/PinsPane-Cl4kg0NG.js","/assets/ProfileDialog-BQvEDv8I.js","/assets/RoomDialog-BaqtFXdc.js","/assets/StatusDialog-DDx6RZnq.js","/assets/Switcher-DEPcsvV2.js","/assets/ThreadPane-CxEnf4CN.js","/assets/WhenFields-BzZle6tF.js","/assets/_emoji-CP3nSsAj.js","/assets/de-Dl3kWmKJ.js","/assets/first-DBYJZAoH.js","/assets/highlight-BB0QXi4E.js","/assets/index-B8mgrFqn.js","/assets/index-DOJdzD8L.css","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-e95558940bec";
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
