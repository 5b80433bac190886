// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-C0jWyAnE.js","/assets/Card-CrMI0zSq.js","/assets/Confirm-rRxepEjq.js","/assets/DateDialog-Aq1FFqD_.js","/assets/Dialog-CxLGNLD8.js","/assets/Door-Bjg17yxf.js","/assets/EmojiPicker-DuNxmO-A.js","/assets/History-CL-KD7kF.js","/assets/Keys-CVmSJznB.js","/assets/LaterDialog-BDpyQ5AX.js","/assets/LaterTime-Cixqcflb.js","/assets/LeftEdit-Dmglc913.js","/assets/ListView-CiPa4isp.js","/assets/NewDirect-4CDqDf5-.js","/assets/NoticesDialog-Z2psQQbF.js","/assets/OutboxDialog-ByvfVUPl.js","/assets/PeopleField-FOA17BoX.js","/assets/PinsPane-BA_hbf3F.js","/assets/ProfileDialog-95gDtMQg.js","/assets/RoomDialog-CaLkpim0.js","/assets/StatusDialog-NCm-OO0E.js","/assets/Switcher-CYPDIT5h.js","/assets/ThreadPane-CDyhX5Cs.js","/assets/WhenFields-d11lJ9w-.js","/assets/_emoji-CP3nSsAj.js","/assets/de--8ZJqd3n.js","/assets/dialogs-CRgLf3x8.js","/assets/dialogs-wTW7D9rH.js","/assets/first-BolJ5DeS.css","/assets/first-DZdOfYp8.js","/assets/highlight-Dg6I8mNe.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-D4aXGiEG.js","/assets/soon-DgCjQC7K.js","/assets/zone-1YAVoL3S.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-a11dd12b45f1";
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
