// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-C2gBJt47.js","/assets/Card-CEmcjWXU.js","/assets/Confirm-UR7_DO0s.js","/assets/DateDialog-DwWKNykT.js","/assets/Dialog-Dx_Pi9Dm.js","/assets/Door-BHA2chxB.js","/assets/EmojiPicker-B2ouUDP2.js","/assets/EmojiPicker-DMFMrlsA.js","/assets/History-DPP5r0M9.js","/assets/Keys-BB5ZS29u.js","/assets/LaterDialog-B9CS2W6W.js","/assets/LaterTime-D1mxgAEz.js","/assets/LeftEdit-g0tSyF5y.js","/assets/ListView-BGhF5h2S.js","/assets/NewDirect-Bc5cqyDi.js","/assets/NoticesDialog-B-vUiCI6.js","/assets/OutboxDialog-C8TCf90X.js","/assets/PeopleField-C7JjzHF8.js","/assets/PinsPane-CM2hoDtJ.js","/assets/ProfileDialog-J7LLhBop.js","/assets/RoomDialog-5XvXjJRT.js","/assets/StatusDialog-hjQrqtII.js","/assets/Switcher-CkmKRyVA.js","/assets/ThreadPane-CX1iuSma.js","/assets/WhenFields-hAz0g3JF.js","/assets/_emoji-CP3nSsAj.js","/assets/choices-Cb7dUbnD.js","/assets/de-MpbY6ZVj.js","/assets/dialogs-X1ZwlNH_.js","/assets/dialogs-XcAwsDTe.js","/assets/first-C74_GmFQ.js","/assets/first-oY0LJNcV.css","/assets/highlight-DH6jychz.js","/assets/inside-CKHIXqor.js","/assets/notices-BQX7ovWd.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-DmdwIbYd.js","/assets/soon-DjOnrpr7.js","/assets/zone-BdWv1pc_.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-592fd3504bb8";
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
