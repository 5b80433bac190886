// The same histories in both clients: `crates/client/src/store/tests/vectors.rs` writes what was told to the Rust store, what
// it wanted then, and what it held. A few are here; `scripts/web vectors` compares a thousand, made anew.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Heard, Message, Room as RoomRow } from "$lib/api/types";
import few from "./vectors.json";
import type { Effect, Outcome } from "./news";
import { Store } from "./store";

type Told = Partial<Message> & { type?: string; rooms?: Partial<RoomRow>[] };
type State = Record<string, unknown>;
type Fetch = Extract<Effect, { do: "fetch" }>;
type Count = Extract<Effect, { do: "count" }>;
type Step = [what: [string, ...unknown[]], wants: unknown[], is: [State, State] | null];

const file = process.env.PARLOUR_VECTORS;
const histories = (file ? JSON.parse(readFileSync(file, "utf8")) : few) as Step[][];

/** What everything is unless it is told otherwise. */
const message = (told: Told) => ({ user_id: 2, username: "bob", content: "", created_at: "2026-11-27T00:00:00Z", ...told }) as Message;

function frame(told: Told): Heard {
  if (told.type === "system") {
    const limits = { content_bytes: 16_384, frame_bytes: 65_536, sockets_per_user: 20 };
    return { user_id: 1, username: "alice", session: 1, heartbeat_ms: 25_000, online: [], limits, ...told } as unknown as Heard;
  }
  const isMessage = told.type === "message" || told.type === "message_changed";
  return (isMessage ? message(told) : told.type === "error" ? { detail: "", ...told } : told) as unknown as Heard;
}

class Player {
  readonly store = new Store("vectors");
  readonly #fetches: Fetch[] = [];
  readonly #counts: Count[] = [];
  #now = 0;

  play([what, ...rest]: [string, ...unknown[]]): unknown[] {
    const out = this.#happen(what, rest);
    // Of two rooms it makes no difference which comes first.
    const of = (kind: Effect["do"]) => (out?.effects ?? []).filter((one) => one.do === kind).sort((a, b) => ("room" in a && "room" in b && a.room < b.room ? -1 : 1));
    return [...of("count"), ...of("fetch"), ...of("say")].flatMap((one) => this.#inWords(one));
  }

  #happen(what: string, [one, two]: unknown[]): Outcome | undefined {
    switch (what) {
      case "frame": return this.store.frame(this.#now, this.#ours(frame(one as Told)));
      case "page": {
        const page = two as [Told[], boolean] | null;
        return this.store.page(this.#now, this.#fetches[one as number] as Fetch, page ? { messages: page[0].map(message), more: page[1] } : undefined);
      }
      case "told": {
        const { room, tag } = this.#counts[one as number] as Count;
        return this.store.counted(room, tag, two as RoomRow);
      }
      case "tick": return this.store.tick((this.#now = one as number));
      case "older": return this.store.fetchOlder(one as string);
      case "look": return this.store.lookAt(one as string);
      case "closed": return this.store.closed(undefined);
      default: throw new Error(`what is ${what}?`);
    }
  }

  /** Each tab has a name of its own for what it asks. */
  #ours(heard: Heard): Heard {
    return "ref" in heard && heard.ref === "sync" ? ({ ...heard, ref: "sync vectors" } as Heard) : heard;
  }

  #inWords(effect: Effect): unknown[] {
    if (effect.do === "say") return effect.frame.type === "sync" ? [["sync", effect.frame.rooms]] : [];
    if (effect.do === "count") {
      this.#counts.push(effect);
      return [["unread", effect.room]];
    }
    if (effect.do !== "fetch") return [];
    this.#fetches.push(effect);
    const { room, query } = effect;
    return [query.at === "latest" ? ["latest", room] : query.at === "before" ? ["before", room, query.id] : ["since", room, query.seq]];
  }

  state(key: string): State {
    const room = this.store.rooms.get(key);
    if (!room) return {};
    const { timeline, threads } = room;
    const told = Array.from({ length: 39 }, (_, n) => n + 1).flatMap((first) => {
      const seq = threads.replies(first)?.seq;
      return seq === undefined ? [] : [[first, seq, threads.messages(first).map((one) => [one.id, one.seq])]];
    });
    return {
      cursor: room.follower.cursor, gone: room.isGone, older: timeline.older, start: timeline.start ?? null,
      held: timeline.messages.map((one) => [one.id, one.seq]), unread: room.isSure ? [room.unread, room.mentions] : null, marker: room.about.read_seq ?? 0, threads: told,
    };
  }
}

it(`makes of ${histories.length} histories what the Rust store makes of them`, () => {
  for (const [number, steps] of histories.entries()) {
    const player = new Player();
    const wanted: [State, State] = [{}, {}];
    for (const [place, [what, wants, is]] of steps.entries()) {
      const where = `history ${number}, step ${place}: ${JSON.stringify(what)}`;
      expect(player.play(what), where).toEqual(wants);
      if (!is) continue;
      ["general", "garden"].forEach((key, room) => {
        Object.assign(wanted[room] as State, is[room]);
        expect(player.state(key), `${key} in ${where}`).toEqual(wanted[room]);
      });
    }
  }
});
