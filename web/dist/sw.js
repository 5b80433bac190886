// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-CSL-_LVG.js","/assets/Card-DoT6Iam2.js","/assets/DateDialog-Bb2soAic.js","/assets/EmojiPicker-BlmzXBri.js","/assets/EmojiPicker-DtlCWN9L.js","/assets/History-BHoagDZ0.js","/assets/Keys-CQnNq5dC.js","/assets/LaterDialog-CGBUGTdJ.js","/assets/LaterTime-DwnigdFU.js","/assets/ListView-D_muLirE.js","/assets/NewDirect-DUV07Hnw.js","/assets/NoticesDialog-DKU3Xlsh.js","/assets/OutboxDialog-CBXZ5WgD.js","/assets/PeopleField-CaS_NcRs.js","/assets/PinsPane-BJT4rLVz.js","/assets/ProfileDialog-Dh-ozWd_.js","/assets/RoomDialog-Cd3P19Bd.js","/assets/StatusDialog-Blw0zBr4.js","/assets/Switcher-p1ZzdyWt.js","/assets/ThreadPane-BncZyYEl.js","/assets/WhenFields-DgbBx5yq.js","/assets/_emoji-CP3nSsAj.js","/assets/de-CxHJTR20.js","/assets/first-Bf-Duu9k.js","/assets/highlight-CvK9vxmB.js","/assets/index-CoS5-3NN.js","/assets/index-DDMfwJj-.css","/assets/rolldown-runtime-XKyaHtl9.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-cce05ffb9c79";
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
