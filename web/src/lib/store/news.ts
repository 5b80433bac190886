// What a store asks for, and what it tells.
import type { Draft, ErrorFrame, Message, RoomState, Said, Scheduled, ScheduledNews } from "$lib/api/types";

export type Query = { at: "latest" } | { at: "before"; id: number } | { at: "since"; seq: number };
export type Effect =
  | { do: "say"; frame: Said }
  | { do: "fetch"; room: string; query: Query; tag: number }
  | { do: "count"; room: string; tag: number }
  | { do: "list"; cursor: string | undefined; tag: number };
export type Due = Scheduled & Pick<ScheduledNews, "message">;
export type News =
  | { about: "room"; room: string }
  | { about: "rooms" | "people" | "outbox" | "hello" | "settings" }
  /** Messages have come, or have changed, whether or not they are at hand. */
  | { about: "shown"; room: string; messages: readonly Message[] }
  | { about: "came"; room: string; message: Message; isMention: boolean }
  | { about: "draft"; room: string; draft: Draft }
  | { about: "gone"; room: string }
  /** `due`: a reminder whose time has come, and the message that it has become. */
  | { about: "later"; failed: Scheduled | undefined; due: Due | undefined }
  | { about: "thread_read"; room: string; thread: number }
  | { about: "refused"; error: ErrorFrame };

export interface Outcome {
  effects: Effect[];
  news: News[];
}

export interface KeptRoom {
  about: RoomState;
  cursor: number;
  messages: Message[];
}
export interface Kept {
  /** In which form it is; what an earlier release has kept is in another, or says nothing of it. */
  form?: number;
  epoch: string;
  rooms: KeptRoom[];
}
