// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-D87tpd-m.js","/assets/Card-DVUid8om.js","/assets/Confirm-BcSWJzr0.js","/assets/DateDialog-CTuQ3FdO.js","/assets/Dialog-CoPmwQTp.js","/assets/Door-Cl5w4IoZ.js","/assets/EmojiPicker-CY4itDxw.js","/assets/History-BrsXQAvN.js","/assets/Keys-_NaW-zOQ.js","/assets/LaterDialog-DmZVx2mI.js","/assets/LaterTime-37W69Yjg.js","/assets/LeftEdit-Cu1xZUIl.js","/assets/ListView-DAbPXMvG.js","/assets/NewDirect-DIhhtlg9.js","/assets/NoticesDialog-Df55uGu6.js","/assets/OutboxDialog-BuSpXD1E.js","/assets/PeopleField-DOKOGPob.js","/assets/PinsPane-Cbtdp0Z8.js","/assets/ProfileDialog-B64va2CU.js","/assets/RoomDialog-CG16WFlX.js","/assets/StatusDialog-1vqmqwdA.js","/assets/Switcher-D5zfX3Sc.js","/assets/ThreadPane-Dx7V4FF-.js","/assets/WhenFields-CvOcEqKD.js","/assets/_emoji-CP3nSsAj.js","/assets/de--PyEQ1yZ.js","/assets/dialogs-D1Q3xURe.js","/assets/dialogs-DYbSenr4.js","/assets/first-C4-xpANJ.css","/assets/first-CaElPu5I.js","/assets/highlight-7KFfuOAJ.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-BpY_Aj_2.js","/assets/soon-B3zFYDn9.js","/assets/zone-CETRV87F.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-4bf2f2ff7392";
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
