import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

/** The icons stand in the page itself: an address of their own would be asked for before the first of them is seen. */
const sprite = {
  name: "sprite",
  transformIndexHtml: (html: string) => {
    const icons = readFileSync(at("src/icons.svg"), "utf8").trim().replace("<svg ", '<svg class="sprite" aria-hidden="true" ');
    return html.replace('<div id="app">', () => `${icons}\n<div id="app">`);
  },
};

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The emoji of Unicode with their English names and key words, as far as the picker wants them of emojibase. */
const emoji = {
  name: "emoji",
  resolveId: (id: string) => (id === "virtual:emoji" ? "\0emoji" : undefined),
  load(id: string) {
    if (id !== "\0emoji") return undefined;
    const read = (file: string) => JSON.parse(readFileSync(at(`node_modules/emojibase-data/en/${file}`), "utf8"));
    const codes: Record<string, string | string[]> = read("shortcodes/github.json");
    const rows: { hexcode: string; unicode: string; label: string; tags?: string[]; group?: number; order?: number }[] = read("compact.json");
    const kept = rows
      // Group 2 holds skin tones and hair, which are no emoji by themselves.
      .filter((row) => row.group !== undefined && row.group !== 2)
      .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
      .map((row) => {
        const names = [codes[row.hexcode] ?? []].flat();
        const name = names[0] ?? row.label.replace(/[\s:,]+/g, "_");
        const words = new Set([row.label, ...names.slice(1), ...(row.tags ?? [])].join(" ").toLowerCase().split(" "));
        return [row.unicode, name, [...words].join(" "), row.group];
      });
    return `export default JSON.parse(${JSON.stringify(JSON.stringify(kept))});`;
  },
};

/** No component here is an element of its own name: what Svelte has for those stays out. */
const noElements = {
  name: "no-elements",
  load: (id: string) => (id.includes("svelte/src/internal/client/dom/elements/custom-element.js") ? "export const create_custom_element = undefined, attribute_to_object = undefined;" : undefined),
};

/** The worker that keeps the page, with the list of what belongs to this release. */
const worker = {
  name: "worker",
  enforce: "post" as const,
  generateBundle: {
    // After what takes files out that hold nothing: one that is not there keeps the worker from beginning.
    order: "post" as const,
    handler(_: unknown, bundle: Record<string, unknown>) {
      const files = Object.keys(bundle).filter((name) => name.startsWith("assets/")).map((name) => `/${name}`).sort();
      const version = createHash("sha256").update(files.join()).digest("hex").slice(0, 12);
      const source = readFileSync(at("scripts/sw.js"), "utf8").replace("__FILES__", JSON.stringify(files)).replace("__VERSION__", version);
      (this as unknown as { emitFile: (file: object) => void }).emitFile({ type: "asset", fileName: "sw.js", source });
    },
  },
};

export default defineConfig({
  plugins: [svelte(), sprite, emoji, noElements, worker],
  resolve: {
    alias: { entities: at("src/lib/text/entities.ts"), "punycode.js": at("src/lib/text/punycode.ts"), $lib: at("src/lib"), $components: at("src/components") },
    // In tests, too, Svelte is the one that runs in a browser.
    ...(process.env.VITEST && { conditions: ["browser"] }),
  },
  build: {
    target: "es2022",
    outDir: "dist",
    assetsDir: "assets",
    // An icon in an address of its own is an icon that the policy lets in.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Many small files pack worse than few. "first" is what the door needs too, "room" the first view of a room with what it says and
    // does, and "soon" what is loaded as soon as that is drawn. All else has files of its own.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "soon", priority: 3, test: /src\/lib\/face\/(choices|notices|read-all)\.ts/, includeDependenciesRecursively: false },
            { name: "first", priority: 2, test: /node_modules\/(svelte|clsx|esm-env)\/|preload-helper|src\/(App|components\/(Icon|Mark))\.svelte|src\/main\.ts|src\/lib\/(api\/|words\/(index|en(\.|\/talk))|text\/(time|sentence)|face\/(refusals|release|router|theme|trail|ui))/ },
            { name: "room", priority: 1, test: /src\/lib\/(?!words\/|text\/(highlight|strength)|face\/(emoji|lists|zone))|src\/components\/(Avatar|Begin|Composer|Conversation|EditBox|Layers|MenuLayer|MessageItem|MessageState|MessageText|Reactions|Sidebar|Strip|SystemLine|Timeline)\.svelte|src\/routes\/(Workspace\.svelte|inside\.ts)/ },
          ],
        },
      },
    },
    reportCompressedSize: false,
    sourcemap: false,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/ws": { target: "ws://127.0.0.1:8000", ws: true } } },
  test: {
    environment: "happy-dom",
    // A bound for what never comes, not a measure of the machine.
    testTimeout: 90_000,
    include: ["src/**/*.test.ts"],
    // So that the names of its own stand in for a package in tests, too.
    server: { deps: { inline: ["markdown-it"] } },
  },
});
