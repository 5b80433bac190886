// Marks of Markdown put around or before what is chosen in a text, or taken away again.
export type Format = "bold" | "italic" | "strike" | "code" | "block" | "quote" | "bullets" | "link";

const AROUND: Partial<Record<Format, string>> = { bold: "**", italic: "_", strike: "~~", code: "`" };
const BEFORE: Partial<Record<Format, string>> = { quote: "> ", bullets: "- " };

export function format(how: Format, text: string, from: number, to: number): { text: string; from: number; to: number } {
  const [before, chosen, after] = [text.slice(0, from), text.slice(from, to), text.slice(to)];
  const around = AROUND[how];
  if (around) {
    const n = around.length;
    if (before.endsWith(around) && after.startsWith(around)) {
      return { text: before.slice(0, -n) + chosen + after.slice(n), from: from - n, to: to - n };
    }
    return { text: before + around + chosen + around + after, from: from + n, to: to + n };
  }
  if (how === "block") {
    const open = `${before && !before.endsWith("\n") ? "\n" : ""}\`\`\`\n`;
    return { text: `${before}${open}${chosen}\n\`\`\`\n${after}`, from: from + open.length, to: to + open.length };
  }
  if (how === "link") {
    const isAddress = /^https?:\/\//.test(chosen);
    const [words, address] = isAddress ? ["", chosen] : [chosen, "https://"];
    const at = isAddress ? from + 1 : from + words.length + 3;
    return { text: `${before}[${words}](${address})${after}`, from: at, to: isAddress ? at : at + address.length };
  }
  const mark = BEFORE[how] ?? "";
  const start = before.lastIndexOf("\n") + 1;
  const lines = text.slice(start, to).split("\n");
  const isOn = lines.every((line) => line.startsWith(mark));
  const next = lines.map((line) => (isOn ? line.slice(mark.length) : mark + line)).join("\n");
  const grown = next.length - (to - start);
  return { text: text.slice(0, start) + next + after, from: Math.max(start, from + (isOn ? -mark.length : mark.length)), to: to + grown };
}
