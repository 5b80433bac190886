// Lists that stand open while what is in them changes, over a server of make-believe.
import { describe, expect, it } from "vitest";
import { router } from "$lib/face/router.svelte";
import type { Message } from "$lib/api/types";
import { Line, answers, asked, enter, message, until } from "./make-believe";

const replies = (count: number, seq: number) => ({ count, last_id: seq, seq, users: [] });
const thread = (id: number, count: number, unread: number, rest: Partial<Message> = {}) => ({
  message: message(id, { replies: replies(count, 3), ...rest }), last_at: message(3).created_at, read_seq: 0, unread, mentions: 0,
});
const saved = (id: number, minute: number) => ({ message: message(id), name: "general", saved_at: `2026-11-27T11:0${minute}:00.000000+00:00` });
const tell = (seq: number, rest: Partial<Message>, type = "message") => {
  const { created_at: timestamp, ...told } = message(seq, rest);
  Line.last?.tell({ type, ...told, timestamp });
};
const rows = () => [...document.querySelectorAll(".main .hit")].map((one) => one.querySelector(".text, p")?.textContent?.trim());
const row = (words: string) => [...document.querySelectorAll<HTMLElement>(".main .hit")].find((one) => one.textContent?.includes(words));
const begin = async (is: "threads" | "saved") => {
  router.go({ is: "room", room: "general" }, { replace: true });
  await enter();
  await until(() => Line.last?.said.some((one) => one.type === "presence"));
  router.go({ is });
  await until(() => rows().length === 2);
};

describe("the threads that one follows, while they are listed", () => {
  it("say what their messages say by now, and how many replies they have", async () => {
    const listed = [thread(1, 1, 0), thread(2, 1, 0)];
    answers.unshift([/api\/threads/, listed]);
    await begin("threads");
    tell(4, { id: 1, content: "put another way", edited_at: message(4).created_at }, "message_changed");
    await until(() => rows().join() === "put another way,message 2");
    listed.splice(1, 1, thread(2, 2, 1));
    tell(5, { thread: 2, thread_replies: replies(2, 5) });
    await until(() => row("message 2")?.textContent?.includes("2 replies"));
    expect(row("message 2")?.querySelector("time")?.textContent).toMatch(/^last reply on /);
    await until(() => row("message 2")?.textContent?.includes("1 new"));
    tell(6, { id: 1, content: "", deleted_at: message(6).created_at }, "message_changed");
    await until(() => rows().join() === "a deleted message,message 2");
  });

  it("have one more when one has replied elsewhere, and the focus stays where it is", async () => {
    const listed = [thread(1, 1, 0), thread(2, 1, 0)];
    answers.unshift([/api\/threads/, listed]);
    await begin("threads");
    const button = row("message 2")?.querySelector<HTMLElement>(".thread-sum");
    button?.focus();
    listed.splice(0, 2, thread(3, 1, 0), thread(2, 2, 0), thread(1, 1, 0));
    tell(4, { user_id: 1, username: "alice", thread: 3, thread_replies: replies(1, 4) });
    await until(() => rows().length === 3);
    expect(rows()).toEqual(["message 3", "message 1", "message 2"]);
    expect(document.activeElement).toBe(button);
    // Who is at nothing finds the latest first.
    button?.blur();
    listed.splice(0, 3, thread(2, 3, 0), thread(3, 1, 0));
    tell(5, { thread: 2, thread_replies: replies(3, 5) });
    await until(() => rows().join() === "message 2,message 3");
  });

  it("are counted again also while replies come without end", async () => {
    answers.unshift([/api\/threads/, [thread(1, 1, 0), thread(2, 1, 0)]]);
    await begin("threads");
    await until(() => asked.filter((one) => one.includes("threads?limit=50")).length > 0);
    const before = asked.length;
    let seq = 4;
    const timer = setInterval(() => tell(seq, { id: seq++, thread: 2, created_at: message(4).created_at }), 200);
    await until(() => asked.slice(before).some((one) => one.includes("threads?limit=50")) || seq > 24);
    clearInterval(timer);
    expect(seq).toBeLessThan(24);
  });
});

describe("what is saved, while it is listed", () => {
  it("says what it says by now, also that it is deleted", async () => {
    answers.unshift([/api\/saved/, [saved(2, 2), saved(1, 1)]]);
    await begin("saved");
    tell(4, { id: 1, content: "put another way", edited_at: message(4).created_at }, "message_changed");
    await until(() => rows().join() === "message 2,put another way");
    tell(5, { id: 2, content: "", deleted_at: message(5).created_at }, "message_changed");
    await until(() => rows().join() === "a deleted message,put another way");
  });

  it("tells when it was saved, and which time that is", async () => {
    answers.unshift([/api\/saved/, [saved(2, 2), saved(1, 1)]]);
    await begin("saved");
    expect(row("message 2")?.querySelector("time")?.textContent).toMatch(/^saved on /);
  });

  it("is what another device has saved meanwhile, for whoever comes back to it", async () => {
    const listed = [saved(2, 2), saved(1, 1)];
    answers.unshift([/api\/saved/, listed]);
    await begin("saved");
    listed.splice(0, 1, saved(3, 3));
    dispatchEvent(new Event("focus"));
    await until(() => rows().join() === "message 3,message 1");
    const before = asked.length;
    listed.pop();
    Line.last?.onclose({ code: 1006 });
    await until(() => rows().join() === "message 3" && asked.slice(before).some((one) => one.includes("/api/saved")));
  });
});
