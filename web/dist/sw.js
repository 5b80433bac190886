// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-7xB2P3wn.js","/assets/Card-C1I-r6Uo.js","/assets/Confirm-DOTcu8yK.js","/assets/DateDialog-S4Ri2ppW.js","/assets/Dialog-DxaCOR7B.js","/assets/EmojiPicker-CVbiv-UI.js","/assets/EmojiPicker-D9XMNci4.js","/assets/History-BTAL5LfD.js","/assets/Keys-BCrTPtAr.js","/assets/LaterDialog-Cp6_QNvR.js","/assets/LaterTime-l3WAc_i-.js","/assets/ListView-D-28THkM.js","/assets/NewDirect-C1PsE8EQ.js","/assets/NoticesDialog-PTDivIBR.js","/assets/OutboxDialog-788C3fhF.js","/assets/PeopleField-w4IvckSo.js","/assets/PinsPane-Bil9QoEJ.js","/assets/ProfileDialog-BM4xfgyJ.js","/assets/RoomDialog-72OClPcD.js","/assets/StatusDialog-CEC_P4im.js","/assets/Switcher-BcgCg22y.js","/assets/ThreadPane-DNsbxjSm.js","/assets/WhenFields-DPuUiFax.js","/assets/_emoji-CP3nSsAj.js","/assets/de-D6hrnUAm.js","/assets/first-8axq2EFu.js","/assets/highlight-CdXMEjs6.js","/assets/index-C3R6J7An.js","/assets/index-CFHiSb13.css","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-de602d40564f";
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
