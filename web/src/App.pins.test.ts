// The pinned messages beside their room while they change, over a server of make-believe.
import { describe, it } from "vitest";
import { router } from "$lib/face/router.svelte";
import type { Message } from "$lib/api/types";
import { Line, answers, enter, find, message, until } from "./make-believe";

const tell = (seq: number, rest: Partial<Message>) => {
  const { created_at: timestamp, ...told } = message(seq, rest);
  Line.last?.tell({ type: "message_changed", ...told, timestamp });
};

describe("what is pinned, while it stands beside the conversation", () => {
  const pin = { by: 2, at: message(3).created_at };
  const pins = () => [...document.querySelectorAll(".pane .hit .text")].map((one) => one.textContent?.trim());

  it("says what it says by now, and has what is pinned far up", async () => {
    const pinned = [message(1, { pinned: pin }), message(2, { pinned: pin })];
    answers.unshift([/pinned=true/, pinned]);
    router.go({ is: "room", room: "general" }, { replace: true });
    await enter();
    await until(() => Line.last?.said.some((one) => one.type === "presence"));
    find("[aria-label^='Pinned messages']")?.click();
    await until(() => pins().length === 2);
    tell(4, { id: 1, content: "put another way", edited_at: message(4).created_at, pinned: pin });
    await until(() => pins().join() === "message 2,put another way");
    pinned.shift();
    tell(5, { id: 1, content: "put another way", edited_at: message(4).created_at });
    await until(() => pins().join() === "message 2");
    await until(() => find("[aria-label^='Pinned messages'] .num")?.textContent === "1");
  });
});
