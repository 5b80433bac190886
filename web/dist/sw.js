// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-Dp3IzzQL.js","/assets/Card-W3s1jdBo.js","/assets/Confirm-Bl27gqpq.js","/assets/DateDialog-BnIxaoyX.js","/assets/Dialog-Dzcn84-a.js","/assets/Door-CMW4hPtp.js","/assets/EmojiPicker-BSBLMF41.js","/assets/History-DFZAr90h.js","/assets/Keys-DBuPXMOF.js","/assets/LaterDialog-2px_SDSB.js","/assets/LaterTime-BU-AYfmv.js","/assets/LeftEdit-lpEeOdrC.js","/assets/ListView-DF1jQRdw.js","/assets/NewDirect-uFUdkJl7.js","/assets/NoticesDialog-Bp8KDd4r.js","/assets/OutboxDialog-C7DmrmrH.js","/assets/PeopleField-CqxySNVt.js","/assets/PinsPane-CbaYFoc2.js","/assets/ProfileDialog-DLWTx6VK.js","/assets/RoomDialog-BxjTRYAL.js","/assets/StatusDialog-DgsTQ79g.js","/assets/Switcher-B_JH0rEd.js","/assets/ThreadPane-2Uni6bDj.js","/assets/WhenFields-CXus38Zy.js","/assets/_emoji-CP3nSsAj.js","/assets/de-MXXUPEh5.js","/assets/dialogs-8B1iLnl5.js","/assets/dialogs-CCPe6fpA.js","/assets/first-C4-xpANJ.css","/assets/first-D7JX0ZO5.js","/assets/highlight-CWu6H26z.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-DT3tjn2n.js","/assets/soon-BI8_pbvD.js","/assets/zone-csJWSzSE.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-6db13db5ea78";
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
