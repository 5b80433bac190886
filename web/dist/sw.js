// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-B9BqNZaH.js","/assets/Card-dsfOqlf0.js","/assets/Confirm-DVTCD31_.js","/assets/DateDialog-Hn2ybaDT.js","/assets/Dialog-CWnVtgvt.js","/assets/Door-NEBpY9Ke.js","/assets/EmojiPicker-D11DE3dA.js","/assets/History-DWGQpI0u.js","/assets/Keys-BrC7CWuT.js","/assets/LaterDialog-DkUobWFu.js","/assets/LaterTime-BdCcybxg.js","/assets/LeftEdit-BrDEFIRA.js","/assets/ListView-D_KTpaat.js","/assets/NewDirect-Brt9UjxA.js","/assets/NoticesDialog-Bqvm94LD.js","/assets/OutboxDialog-BwkM06ZA.js","/assets/PeopleField-B966Mfvh.js","/assets/PinsPane-Du-aX38t.js","/assets/ProfileDialog-Bpu6Gn8m.js","/assets/RoomDialog-LZiMYrFw.js","/assets/StatusDialog-h6wcCKlL.js","/assets/Switcher-DQSpcX5Q.js","/assets/ThreadPane-BBNOc-Ns.js","/assets/WhenFields-B_du2x0z.js","/assets/_emoji-CP3nSsAj.js","/assets/de-BKJXGqja.js","/assets/dialogs-5gnHzs6r.js","/assets/dialogs-DGmeCxyh.js","/assets/first-BolJ5DeS.css","/assets/first-ChTlgyRb.js","/assets/highlight-BQfU-C1w.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-DBuXKw5w.js","/assets/soon-By2ecWkF.js","/assets/zone-BnCfIE_s.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-ecda69f8ea3d";
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
