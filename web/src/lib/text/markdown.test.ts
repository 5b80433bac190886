import { describe, expect, it } from "vitest";
import { draw, isBig, plain } from "./markdown";

const how = { me: 1, nameOf: (user: number) => (user === 2 ? "Bob B." : ""), words: { copy: "Copy", table: "Table", code: "Code" } };
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

  it("shows whom it mentions, and marks what is for oneself", () => {
    const box = html("🎉 @bob and @ann", [{ from: 2, to: 6, user_id: 2 }, { from: 11, to: 15, user_id: 1 }]);
    expect([...box.querySelectorAll(".at")].map((one) => [one.textContent, one.classList.contains("me-too")])).toEqual([["@Bob B.", false], ["@ann", true]]);
    expect(html("@bob `@bob`", [{ from: 0, to: 4, user_id: 2 }]).querySelectorAll(".at")).toHaveLength(1);
    expect(html("mail@bob", [{ from: 4, to: 8, user_id: 2 }]).querySelector(".at")).toBeNull();
  });

  it("tells a few emoji from a text", () => {
    for (const text of ["🎉", "🥳🎉", "👍🏽 ❤️", "🇩🇪"]) expect(isBig(text), text).toBe(true);
    for (const text of ["", "a 🎉", "12", "🎉🎉🎉🎉🎉🎉"]) expect(isBig(text), text).toBe(false);
    expect(plain("**a** [b](https://x.example) `c`\nd")).toBe("a b c d");
  });
});
