// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-M7DjEjD_.js","/assets/Card-BR8b29NA.js","/assets/Confirm-DSAzpGMb.js","/assets/DateDialog-DXG3jAM_.js","/assets/Dialog-Ct1-KUAa.js","/assets/Door-z_PCJBF6.js","/assets/EditBox-D90nfbep.js","/assets/EmojiPicker-BJU40Z6Q.js","/assets/EmojiPicker-xFkQ9sJm.js","/assets/History-C1ormmtV.js","/assets/Keys-CCF-2IKe.js","/assets/LaterDialog-E_Kl8qA5.js","/assets/LaterTime-ZDv_Xp_M.js","/assets/LeftEdit-C2tSBGZT.js","/assets/ListView-Coy27mHW.js","/assets/MenuLayer-CK4KTgJA.js","/assets/NewDirect-Dlp5vyrX.js","/assets/NoticesDialog-Dz4qfyCc.js","/assets/OutboxDialog-BGh2cyOI.js","/assets/PeopleField-BssFisR1.js","/assets/PinsPane-DWaz8po_.js","/assets/ProfileDialog-CCmt_oUA.js","/assets/RoomDialog-Boy07A6X.js","/assets/StatusDialog-6jQoWoI-.js","/assets/Switcher-DYD2PHCF.js","/assets/ThreadPane-xxOBWtLs.js","/assets/WhenFields-UbybSBZ5.js","/assets/_emoji-CP3nSsAj.js","/assets/choices-Cgs4mfjk.js","/assets/de-Bdrcu2Ni.js","/assets/dialogs-BuZNrhm3.js","/assets/dialogs-DOejPARN.js","/assets/first-C1r9EspC.css","/assets/first-Dv06hiJ5.js","/assets/format-D4BlySb3.js","/assets/highlight-Bc0BjQbM.js","/assets/index-DH_0bfON.js","/assets/inside-CM7eqPHi.js","/assets/message-menu-BZzWPJ3D.js","/assets/notices-DPvkmEPk.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-Bd2prnuA.js","/assets/soon-Ttj-lbK0.js","/assets/zone-C8lYG6yz.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-ff403a70fa25";
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
