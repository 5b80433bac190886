// Keeps the client, so that it opens without a connection. What is in the cache is of one release: a new one has a new list
// of files, and so another worker, which takes over when the page says so or no page of the old one is left.
const FILES = ["/assets/Browse-C1ExWVey.js","/assets/Card-CtsnZRhV.js","/assets/Confirm-BG1a30PE.js","/assets/DateDialog-YaCMDLAc.js","/assets/Dialog-SfO4ecQ8.js","/assets/Door-BpK4rCbh.js","/assets/EmojiPicker-3noILHXT.js","/assets/EmojiPicker-BA1UrCeX.js","/assets/History-DjD2jcOK.js","/assets/Keys-aOE8YlOm.js","/assets/LaterDialog-Cdfsd7ay.js","/assets/LaterTime-BYoe9R7F.js","/assets/LeftEdit-DV70ClGT.js","/assets/ListView-CzctZttu.js","/assets/NewDirect-CdDQor_8.js","/assets/NoticesDialog-j_7nTSRt.js","/assets/OutboxDialog-B-USwHjn.js","/assets/PeopleField-CJIR0APg.js","/assets/PinsPane-hfNeKKl5.js","/assets/ProfileDialog-DdzazA3k.js","/assets/RoomDialog-rs1Y34xl.js","/assets/StatusDialog-B2e33kfw.js","/assets/Switcher-X3KeUeFH.js","/assets/ThreadPane-C9YB9put.js","/assets/WhenFields-DuDCDwzd.js","/assets/_emoji-CP3nSsAj.js","/assets/choices-6XczyDUD.js","/assets/de-BSB9MMmA.js","/assets/dialogs-CGUEXg4_.js","/assets/dialogs-SCM4cN9m.js","/assets/first-C1r9EspC.css","/assets/first-CuoZMVoq.js","/assets/highlight-Bw1k6bqI.js","/assets/inside-Dsr65oD_.js","/assets/notices-DOp9E7le.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/room-Dr0e_tJK.js","/assets/soon-DnVMES1c.js","/assets/zone-Bx4cWORw.js"];
/** The page, as a browser asks for it: others get an answer for programs there. */
const SHELL = new Request("/", { headers: { accept: "text/html" } });
/** Where the page is shown. */
const VIEW = /^\/($|(r|threads|saved)(\/|$))/;
const CACHE = "parlour-f8d87ec5d363";
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
