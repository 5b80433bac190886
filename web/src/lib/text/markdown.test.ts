import { describe, expect, it } from "vitest";
import { draw, isBig, isLong, MOST, plain } from "./markdown";

const how = { me: 1, words: { copy: "Copy", table: "Table", code: "Code" } };
function html(content: string, mentions: { from: number; to: number; user_id?: number; room?: boolean }[] = []): HTMLElement {
  const box = document.createElement("div");
  box.append(draw({ content, mentions }, how));
  return box;
}

describe("a text is shown as it was meant, and does nothing", () => {
  it("knows lists, tasks and line breaks", () => {
    expect(html("- a\n- b").querySelectorAll("li")).toHaveLength(2);
    expect(html("- [x] done").querySelector<HTMLInputElement>("input")?.checked).toBe(true);
    expect(html("one\ntwo").querySelector("br")).not.toBeNull();
  });

  it("knows the entities that people write, and leaves others as they are", () => {
    expect(html("&copy; 2026 &ndash; &#x1F389; &lt;b&gt; &CounterClockwiseContourIntegral; &constructor;").textContent?.trim()).toBe("© 2026 – 🎉 <b> &CounterClockwiseContourIntegral; &constructor;");
  });

  it("makes no element of what is written as HTML", () => {
    for (const text of ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<svg/onload=alert(1)>", "<form id=app><input name=x>"]) {
      const box = html(text);
      expect(box.querySelector("img, script, svg[onload], form, input")).toBeNull();
      expect(box.textContent?.trim()).toBe(text);
    }
  });

  it("links only to where a browser may go", () => {
    for (const text of ["[a](javascript:alert(1))", "[a](data:text/html,x)", "[a](vbscript:x)", "<javascript:alert(1)>", "[a](//evil.example)"]) {
      expect(html(text).querySelector("a[href]")).toBeNull();
    }
    expect(html("https://example.org/x").querySelector("a")).toMatchObject({ target: "_blank", rel: "noopener noreferrer nofollow" });
  });

  it("says where a link leads whose words name another host", () => {
    expect(html("[https://bank.example](https://evil.example/x)").textContent).toContain("(evil.example)");
    expect(html("[bank](https://evil.example/x)").textContent).not.toContain("(");
    expect(html("https://xn--pple-43d.com").textContent).not.toContain("аpple");
  });

  it("loads no picture of another host", () => {
    expect(html("![x](https://example.org/x.png)").querySelector("img")).toBeNull();
  });

  it("shows whom it mentions by the name that was typed, and marks what is for oneself", () => {
    const box = html("🎉 @bob and @ann", [{ from: 2, to: 6, user_id: 2 }, { from: 11, to: 15, user_id: 1 }]);
    expect([...box.querySelectorAll(".at")].map((one) => [one.textContent, one.classList.contains("me-too")])).toEqual([["@bob", false], ["@ann", true]]);
    expect(html("@bob `@bob`", [{ from: 0, to: 4, user_id: 2 }]).querySelectorAll(".at")).toHaveLength(1);
    const bold = html("**@bob** _@Bob_: @@bob", [2, 10, 18].map((from) => ({ from, to: from + 4, user_id: 2 })));
    expect([...bold.querySelectorAll(".at")].map((one) => one.textContent)).toEqual(["@bob", "@Bob", "@bob"]);
    expect(bold.querySelectorAll("strong, em")).toHaveLength(2);
  });

  it("marks nobody who is not mentioned there: neither in a longer name, nor where the same name stands again", () => {
    const box = html("@bob asks @bobby, not bob@bob or @bob", [{ from: 0, to: 4, user_id: 2 }]);
    expect([...box.querySelectorAll(".at")].map((one) => one.textContent)).toEqual(["@bob"]);
    expect(box.textContent?.trim()).toBe("@bob asks @bobby, not bob@bob or @bob");
  });

  it("shows a text as it is where a place is none, and lets nobody write a mention", () => {
    for (const [from, to] of [[4, 8], [0, 90], [0, 1], [-4, 2]] as const) expect(html("`@bob` @", [{ from, to, user_id: 2 }]).textContent?.trim()).toBe("@bob @");
    const [forged, code] = [html("@\uFDD01\uFDD1ann\uFDD2 @bob", [{ from: 9, to: 13, user_id: 2 }]), html("`@bob`\n\n    @bob", [{ from: 1, to: 5, user_id: 2 }, { from: 12, to: 16, user_id: 2 }])];
    expect([...forged.querySelectorAll(".at")].map((one) => one.textContent)).toEqual(["@bob"]);
    expect(html("@\uFDD0all\uFDD1bob\uFDD2", []).querySelector(".at")).toBeNull();
    expect([code.querySelector(".at"), [...code.querySelectorAll("code")].map((one) => one.textContent?.trim())]).toEqual([null, ["@bob", "@bob"]]);
  });

  it("tells a few emoji from a text", () => {
    for (const text of ["🎉", "🥳🎉", "👍🏽 ❤️", "🇩🇪"]) expect(isBig(text), text).toBe(true);
    for (const text of ["", "a 🎉", "12", "🎉🎉🎉🎉🎉🎉"]) expect(isBig(text), text).toBe(false);
  });

  it("says in one line what it says, with all signs that are no marks", () => {
    for (const [text, said] of [
      ["**a** [b](https://x.example) `c`\nd", "a b c d"], ["see snake_case_name, @bob_x", "see snake_case_name, @bob_x"], ["_a_ *b* __c__ ~~d~~ ***e***", "a b c d e"],
      ["2 * 3 * 4 > 5 | ~6", "2 * 3 * 4 > 5 | ~6"], ["#general, C# and #1", "#general, C# and #1"], ["## Tea\n> at _four_", "Tea at four"], ["`a_b*c*`", "a_b*c*"],
      ["```rust\nlet a_b = 1;\n```\nso", "let a_b = 1; so"], ["- a\n- b", "a b"], ["|a|b|\n|-|-|\n|c|d|", "a b c d"], ["¯\\\\\\_(ツ)\\_/¯", "¯\\_(ツ)_/¯"], ["https://x.example/_a_", "https://x.example/_a_"],
    ] as const) expect(plain(text), text).toBe(said);
  });
});

describe("no text makes so much that the page stands still", () => {
  const fill = (part: string, bytes = 16_384) => part.repeat(Math.floor(bytes / part.length));
  const table = (columns: number, rows: number) => `${"|a".repeat(columns)}|\n${"|-".repeat(columns)}|\n${"|x|\n".repeat(rows)}`;
  const WORST: Record<string, string> = {
    "a wide table": table(2_000, 2_000), "a long table": table(30, 4_000), "tables": fill(`${table(20, 20)}\n`), "paragraphs": "a\n\n".repeat(5_461), "lines": fill("a\n"),
    "nested quotes": `${fill(">")}a`, "quotes, each deeper": Array.from({ length: 120 }, (_, n) => `${">".repeat(n)} a`).join("\n"), "nested lists": `${fill("- ")}a`,
    "lists, each deeper": Array.from({ length: 100 }, (_, n) => `${"  ".repeat(n)}- a`).join("\n"), "items": fill("- a\n"), "emphasis": fill("*a"), "emphasised words": fill("*a* "),
    "brackets": fill("["), "bars": fill("|"), "bars, two lines": `${fill("|", 8_000)}\n${fill("|-", 8_000)}`, "links": fill("[a](b)"), "addresses": fill("http://a.b "), "ticks": fill("`a"), "backslashes": fill("\\"),
    "ats": fill("@ab "), "angles": fill("<a"), "code": fill("```\na\n```\n"), "rules": fill("---\n\n"), "stars": fill("*"), "underscores": fill("_a_ "), "mixed": fill("**_[`a`_"), "entities": fill("&amp;"), "definitions": fill("[a]: b\n"),
  };
  for (const [name, text] of Object.entries(WORST)) {
    it(name, () => {
      const mentions = [{ from: 0, to: 3, user_id: 2 }];
      const began = performance.now();
      const box = html(text, name === "ats" ? mentions : []);
      const took = performance.now() - began;
      if (process.env.SPEAK) console.log(name, Math.round(took), box.querySelectorAll("*").length);
      const walker = document.createTreeWalker(box, NodeFilter.SHOW_ALL);
      let nodes = 0;
      while (walker.nextNode()) nodes += 1;
      expect(nodes).toBeLessThan(MOST.nodes * 2);
      expect(took).toBeLessThan(20_000);
      expect(isLong(text) || text.length < 3_000).toBe(true);
    });
  }

  it("draws what people write, and shows the rest as it was written", () => {
    expect(html(table(8, 40)).querySelectorAll("td")).toHaveLength(320);
    expect(html(table(31, 1)).querySelector("table")).toBeNull();
    expect(html(table(8, 80)).querySelector("table")).toBeNull();
    const box = html(`**first**\n\n${"- *a*\n".repeat(2_000)}`);
    expect(box.querySelector("strong")?.textContent).toBe("first");
    expect(box.querySelectorAll("li")).toHaveLength(0);
    expect(box.querySelector(".as-written")?.textContent).toBe("- *a*\n".repeat(2_000));
  });

  it("folds what is long", () => {
    expect(isLong("a".repeat(500))).toBe(false);
    expect(isLong("a".repeat(16_000))).toBe(true);
    expect(isLong("a\n".repeat(60))).toBe(true);
  });
});
