// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Avatar-ChNzWzEK.js","/assets/Browse-DsGDeGvP.js","/assets/DateDialog-C3Q-D8zf.js","/assets/Dialog-CIGOiEFP.js","/assets/EmojiPicker-DrLuIUpE.js","/assets/History-u_0NueR0.js","/assets/Keys-_otJgGXO.js","/assets/LaterDialog-DKnC0Mfg.js","/assets/LaterTime-BARLB8Sk.js","/assets/MessageState-iMi_Y_z-.js","/assets/MessageText-BhPtm-Y9.js","/assets/NewDirect-CRVqdVIP.js","/assets/NoticesDialog-aPh9Eu5k.js","/assets/OutboxDialog-BDmBPHu0.js","/assets/PeopleField-DWe3drPM.js","/assets/ProfileDialog-kzw2Gdaf.js","/assets/RoomDialog-CQAXqTWU.js","/assets/StatusDialog-CZ8n7AqZ.js","/assets/Switcher-DQJlzzbV.js","/assets/WhenFields-D0VnY_5c.js","/assets/_emoji-CP3nSsAj.js","/assets/actions-Dlv4oLAU.js","/assets/context-uF0P1jzQ.js","/assets/de-DjHtBDVL.js","/assets/emoji-w07_nG34.js","/assets/highlight-BgnbZi_g.js","/assets/index-DOJdzD8L.css","/assets/index-UGzW8HfK.js","/assets/later-DahZ4Ls6.js","/assets/notices-DX4ZVKvC.js","/assets/purify.es-D2gWityX.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/rooms-Gf8rvjXd.js","/assets/router.svelte-VOTOR6cQ.js","/assets/sentence-lprf4YPn.js","/assets/time-1-1LVu3n.js","/assets/tries-DpmejKBS.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-e6e5cb472458";
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
