// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-Bbz1B4l9.js","/assets/Card-B_Libyc8.js","/assets/Confirm-CxC2AVTA.js","/assets/DateDialog-DRweCqmX.js","/assets/Dialog-BqJX4y_j.js","/assets/Door-DycJAzH6.js","/assets/EmojiPicker-BFRLv0Ra.js","/assets/Gone-DWQyOdFf.js","/assets/History-BhxKrbC9.js","/assets/Keys-rr3trleg.js","/assets/LaterDialog-DC_4msr3.js","/assets/LaterTime-BcQunDBE.js","/assets/LeftEdit-KGwmwmJG.js","/assets/ListView-D4Y0C_Yb.js","/assets/NewDirect-DhXL7eU5.js","/assets/NoticesDialog-IdFBJSah.js","/assets/OutboxDialog-Du3V36D0.js","/assets/PeopleField-dzKixz1O.js","/assets/PinsPane-CSPeFlLF.js","/assets/ProfileDialog-CG4T_k0z.js","/assets/RoomDialog-CY6I9Jtr.js","/assets/StatusDialog-B3wXc8jR.js","/assets/Switcher-CzWkoxsa.js","/assets/ThreadPane-DvGSOP3d.js","/assets/WhenFields-CPBGtkE5.js","/assets/_emoji-CP3nSsAj.js","/assets/de-yV4UST71.js","/assets/dialogs-BEx_4H0-.js","/assets/dialogs-DtwNjr9b.js","/assets/first-C_P7Ehl1.js","/assets/first-D-AZ1XjU.css","/assets/highlight-DcMBaP_Z.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-yQsWxUAE.js","/assets/soon-BVZnPXbg.js","/assets/zone-BDHjy9ol.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-16e932387cb4";
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
