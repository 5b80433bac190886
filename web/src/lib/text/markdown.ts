// A message's text as it is shown: CommonMark with tables, task lists and autolinks, as a fragment of the document that holds
// no script, no style and nothing of another host. What was mentioned stands out.
import DOMPurify from "dompurify";
import MarkdownIt, { type Token } from "markdown-it";
import type { Message } from "$lib/api/types";

export interface Drawing {
  /** Whose eyes: mentions of them stand out more. */
  me: number;
  words: { copy: string; table: string; code: string };
}

const md = new MarkdownIt({ html: false, linkify: true, breaks: true, typographer: false });
md.disable(["image", "lheading"]);
// A name in another script is shown as it is asked for, not as it looks.
md.normalizeLinkText = (url: string) => url;
md.linkify.set({ fuzzyEmail: false });
md.validateLink = (url: string) => /^(https?:|mailto:)/i.test(url.trim()) || /^\/(?!\/)/.test(url.trim());

md.renderer.rules.heading_open = () => "<p><strong>";
md.renderer.rules.heading_close = () => "</strong></p>\n";

// The server says where a mention stands: that place is marked, by signs that no text has, until it is drawn.
md.inline.ruler.before("link", "mention", (state, silent) => {
  const found = state.src[state.pos + 1] === "\uFDD0" ? /^@\uFDD0(\w+)\uFDD1([^\uFDD2]*)\uFDD2/.exec(state.src.slice(state.pos)) : null;
  if (!found) return false;
  if (!silent) {
    const token = state.push("mention", "", 0);
    token.content = `@${found[2]}`;
    token.meta = { who: found[1] };
  }
  state.pos += found[0].length;
  return true;
});
md.renderer.rules.mention = (tokens, index) => {
  const token = tokens[index];
  return `<span class="at" data-user="${md.utils.escapeHtml(String(token?.meta?.who))}">${md.utils.escapeHtml(token?.content ?? "")}</span>`;
};

// No style stands in markup: a column that is to the right has a class.
md.core.ruler.push("columns", (state) => {
  for (const token of state.tokens) {
    if (token.type !== "th_open" && token.type !== "td_open") continue;
    const isRight = String(token.attrGet("style") ?? "").includes("right");
    token.attrs = isRight ? [["class", "r"]] : null;
  }
});

/** What one message may make at most: a short text could make a table of millions of cells. What is more is shown as it was written. */
export const MOST = { columns: 30, cells: 500, blocks: 300, nodes: 3_000 };

const [readTable] = md.block.ruler.getRules("paragraph");
md.block.ruler.at("table", (state, from, to, silent) => {
  if (!readTable?.(state, from, to, true)) return false;
  const columns = state.src.slice(state.bMarks[from], state.eMarks[from]).trim().replace(/^\||\|$/g, "").split("|").length;
  let rows = 1;
  while (from + rows < to && !state.isEmpty(from + rows) && rows * columns <= MOST.cells + columns) rows += 1;
  // The line below the heads is no row.
  if (columns > MOST.columns || (rows - 1) * columns > MOST.cells) return false;
  return silent || readTable(state, from, to, false);
}, { alt: ["paragraph", "reference"] });

/** As much of a text as may be drawn, as markup, and the rest as it was written. */
function render(message: Pick<Message, "content" | "mentions">): { html: string; rest: string } {
  const tokens = md.parse(marked(message), {});
  const markup = (some: Token[]) => md.renderer.render(some, md.options, {}).replace(/\uFDD0\w+\uFDD1|\uFDD2/g, "");
  let blocks = 0, nodes = 0, fits = 0;
  let line: number | undefined;
  for (const [index, token] of tokens.entries()) {
    if (token.level === 0 && token.nesting >= 0) [fits, line] = [index, token.map?.[0]];
    if (token.nesting >= 0 && token.type !== "inline" && !isOfTable(token.type)) blocks += 1;
    nodes += 1 + (token.children?.length ?? 0);
    if (blocks > MOST.blocks || nodes > MOST.nodes) {
      const rest = message.content.split(/\r\n?|\n/).slice(line ?? 0).join("\n");
      return { html: markup(tokens.slice(0, fits)), rest };
    }
  }
  return { html: markup(tokens), rest: "" };
}

const isOfTable = (type: string) => /^(table|thead|tbody|t[rhd])_/.test(type);

const ALLOWED = {
  ALLOWED_TAGS: ["p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "a", "span",
    "table", "thead", "tbody", "tr", "th", "td"],
  ALLOWED_ATTR: ["href", "class", "data-user", "start"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  SANITIZE_NAMED_PROPS: true,
  RETURN_DOM_FRAGMENT: true as const,
};

/** The text of a message as elements, fresh each time. */
export function draw(message: Pick<Message, "content" | "mentions">, how: Drawing): DocumentFragment {
  const { html, rest } = render(message);
  const fragment = DOMPurify.sanitize(html, ALLOWED) as unknown as DocumentFragment;
  for (const link of fragment.querySelectorAll("a")) dressLink(link);
  for (const at of fragment.querySelectorAll<HTMLElement>("span.at")) dressMention(at, how);
  for (const table of fragment.querySelectorAll("table")) dressTable(table, how);
  for (const pre of fragment.querySelectorAll("pre")) dressCode(pre, how);
  for (const item of fragment.querySelectorAll("li")) dressTask(item);
  if (rest) {
    const block = document.createElement("p");
    block.className = "as-written";
    block.textContent = rest;
    fragment.append(block);
  }
  return fragment;
}

/** The text with its mentions marked, behind their first sign: beside it, all else reads as it did. "all" is for `@room` and `@here`. */
function marked({ content, mentions }: Pick<Message, "content" | "mentions">): string {
  if (!mentions?.length) return content.replace(/[\uFDD0-\uFDD2]/g, "\uFFFD");
  // Places are in code points.
  const points = Array.from(content, (sign) => sign.replace(/[\uFDD0-\uFDD2]/, "\uFFFD"));
  for (const { from, to, user_id } of mentions) {
    if (points[from] !== "@" || to - from < 2 || to > points.length) continue;
    points[from] = `@\uFDD0${user_id ?? "all"}\uFDD1`;
    points[to - 1] += "\uFDD2";
  }
  return points.join("");
}

function dressLink(link: HTMLAnchorElement): void {
  const href = link.getAttribute("href") ?? "";
  if (href.startsWith("/")) {
    link.dataset.inside = "";
    return;
  }
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  let host = "";
  try {
    host = new URL(href).hostname;
  } catch {
    link.removeAttribute("href");
    return;
  }
  link.title = href;
  const text = link.textContent ?? "";
  // Where the words look like an address, they are the one that is gone to, or it stands behind them.
  const looksLikeAddress = /^\s*(https?:\/\/)?[^\s/]+\.[^\s/]/i.test(text);
  if (host && looksLikeAddress && !text.toLowerCase().includes(host)) {
    const real = document.createElement("span");
    real.className = "host";
    real.textContent = ` (${host})`;
    link.append(real);
  }
}

/** It stays as it was typed: a display name could be anybody's. */
function dressMention(at: HTMLElement, { me }: Drawing): void {
  const who = at.dataset.user ?? "";
  if (who === "all" || Number(who) === me) at.classList.add("me-too");
  if (who === "all") return;
  at.setAttribute("role", "button");
  at.tabIndex = -1;
}

function dressTable(table: HTMLTableElement, { words }: Drawing): void {
  const wrap = document.createElement("div");
  wrap.className = "sheet-wrap";
  wrap.tabIndex = 0;
  wrap.setAttribute("role", "region");
  wrap.setAttribute("aria-label", words.table);
  table.before(wrap);
  wrap.append(table);
}

function dressCode(pre: HTMLPreElement, { words }: Drawing): void {
  const code = pre.querySelector("code");
  const language = [...(code?.classList ?? [])].find((name) => name.startsWith("language-"))?.slice(9) ?? "";
  const figure = document.createElement("figure");
  figure.className = "code";
  const head = document.createElement("header");
  const label = document.createElement("span");
  label.textContent = language.charAt(0).toUpperCase() + language.slice(1) || words.code;
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "tool";
  copy.dataset.copy = "";
  copy.setAttribute("aria-label", words.copy);
  copy.append(icon("copy"));
  head.append(label, copy);
  pre.tabIndex = 0;
  if (language) pre.dataset.language = language;
  pre.before(figure);
  figure.append(head, pre);
}

function dressTask(item: HTMLLIElement): void {
  const first = item.firstChild?.nodeName === "P" ? item.firstChild.firstChild : item.firstChild;
  const mark = first?.nodeType === Node.TEXT_NODE ? /^\[([ xX])\] /.exec(first.textContent ?? "") : null;
  if (!mark || !first) return;
  first.textContent = (first.textContent ?? "").slice(4);
  const box = document.createElement("input");
  box.type = "checkbox";
  box.disabled = true;
  box.checked = mark[1] !== " ";
  item.classList.add("task");
  first.parentNode?.insertBefore(box, first);
}

function icon(name: string): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

const EMOJI = /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic}|\p{Emoji_Modifier})*|\p{Regional_Indicator}{2}|[0-9#*]\uFE0F\u20E3|\s)+$/u;

/** Whether a text is nothing but a few emoji, which are shown large. */
export function isBig(content: string): boolean {
  const text = content.trim();
  return text.length > 0 && text.length < 60 && EMOJI.test(text) && [...new Intl.Segmenter().segment(text.replace(/\s/g, ""))].length <= 5;
}

/** One line of a text, without its marks: for quotes, lists and notices. What is no mark where it stands is part of the text. */
export function plain(content: string): string {
  const said = (token: Token) => (token.type.endsWith("break") ? " " : token.content);
  const lines = md.parse(content.slice(0, 2_000), {}).map((token) => token.children?.map(said).join("") ?? said(token));
  return lines.join(" ").replace(/\s+/g, " ").trim();
}

/** Whether a text is so long that it is folded at first. */
export function isLong(content: string): boolean {
  return content.length > 3_000 || content.split("\n", 41).length > 40;
}
