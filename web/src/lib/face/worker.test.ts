import { existsSync, readFileSync } from "node:fs";
import { beforeEach, expect, it } from "vitest";

type Handler = (event: Record<string, unknown>) => void;

/** A request that the worker makes. */
class Asked {
  readonly url: string;
  readonly headers: Headers;
  constructor(url: string, { headers }: { headers?: Record<string, string> } = {}) {
    this.url = new URL(url, "https://chat.example").href;
    this.headers = new Headers(headers);
  }
}
const pathOf = (one: string | { url: string }) => new URL(typeof one === "string" ? one : one.url, "https://chat.example").pathname;
/** What the server is asked for: at one address it has different answers for browsers and programs. */
const wanted = (one: string | { url: string; headers?: Headers }, headers = typeof one === "string" ? undefined : one.headers) =>
  `${pathOf(one)}${headers?.get("accept") === "text/html" ? " for browsers" : ""}`;

/** The worker, in a browser of make-believe: what is in its caches, and what the server answers. */
let handlers: Record<string, Handler>, kept: Map<string, string>, served: Map<string, string>, names: Set<string>;

beforeEach(() => {
  [handlers, kept, served, names] = [{}, new Map(), new Map(), new Set(["parlour-old"])];
  const cache = {
    addAll: async (all: (string | Asked)[]) => { for (const one of all) kept.set(pathOf(one), served.get(wanted(one)) ?? ""); },
    match: async (one: string | Asked) => (kept.has(pathOf(one)) ? { ok: true, body: kept.get(pathOf(one)) } : undefined),
  };
  const caches = {
    open: async (name: string) => (names.add(name), cache),
    keys: async () => [...names],
    delete: async (name: string) => names.delete(name),
    match: async ({ url }: { url: string }) => cache.match(new URL(url).pathname),
  };
  const fetch = async (what: string | Asked, how: { headers?: Headers } = {}) => {
    const body = served.get(wanted(what, how.headers));
    if (body === undefined) throw new TypeError("no network");
    return { ok: true, body };
  };
  const self = { addEventListener: (name: string, handler: Handler) => { handlers[name] = handler; }, clients: { claim: async () => {} }, skipWaiting: async () => {} };
  const text = readFileSync("scripts/sw.js", "utf8").replace("__FILES__", '["/assets/a.js"]').replace("__VERSION__", "new");
  new Function("self", "caches", "fetch", "location", "Request", text)(self, caches, fetch, { origin: "https://chat.example" }, Asked);
  served.set("/ for browsers", "the page").set("/", "for programs").set("/assets/a.js", "the script").set("/r/general for browsers", "the page of the server").set("/api/rooms", "rooms");
});

async function happen(name: string): Promise<void> {
  let work: unknown;
  handlers[name]?.({ waitUntil: (one: unknown) => { work = one; } });
  await work;
}

async function ask(path: string, mode = "no-cors", method = "GET"): Promise<string | undefined> {
  let answer: Promise<{ body: string }> | undefined;
  handlers.fetch?.({ request: { url: `https://chat.example${path}`, mode, method }, respondWith: (one: typeof answer) => { answer = one; } });
  return (await answer)?.body;
}

it("opens each view without a connection, and prefers the server's page", async () => {
  await happen("install");
  expect(await ask("/r/general", "navigate")).toBe("the page of the server");
  expect(await ask("/", "navigate")).toBe("the page");
  served.clear();
  for (const view of ["/", "/r/general", "/threads", "/saved"]) expect(await ask(view, "navigate"), view).toBe("the page");
  expect(await ask("/assets/a.js")).toBe("the script");
});

it("keeps one release, and answers for nothing of the API, of other pages, or of what is sent", async () => {
  await happen("install");
  await happen("activate");
  expect([...names]).toEqual(["parlour-new"]);
  for (const [path, mode, method] of [["/api/rooms", "cors", "GET"], ["/", "cors", "GET"], ["/docs", "navigate", "GET"], ["/radio", "navigate", "GET"], ["/assets/a.js", "cors", "POST"]] as const) {
    expect(await ask(path, mode, method), path).toBeUndefined();
  }
});

it("keeps files that are there: one that is not would keep all of it from being kept", () => {
  const files: string[] = JSON.parse(/const FILES = (\[[^\]]*\])/.exec(readFileSync("dist/sw.js", "utf8"))?.[1] ?? "[]");
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => !existsSync(`dist${file}`))).toEqual([]);
});
