// The one socket of all tabs. Whoever holds the lock has it, and hands on each frame that comes; the others hear it as if it
// were theirs, and say what they have to say through it. When that tab goes, another takes the lock and opens a socket.
import type { Connected, Heard, Said } from "$lib/api/types";
import type { Pending } from "$lib/store/outbox";
import { Link, type Act, type Status } from "./link";

type Word =
  | { k: "frame"; frame: Heard }
  | { k: "closed"; code: number | undefined }
  | { k: "status"; status: Status }
  | { k: "say"; frame: Said }
  | { k: "who"; tab: string }
  | { k: "hello"; to: string; hello: Connected | undefined; status: Status }
  | { k: "outbox"; put?: Pending; drop?: string }
  | { k: "try" };

export interface Ears {
  frame(frame: Heard): void;
  closed(code: number | undefined): void;
  status(status: Status): void;
  outbox(put: Pending | undefined, drop: string | undefined): void;
  /** This tab has the socket from now on. */
  leads(): void;
  /** What a tab that comes later is told first. */
  hello(): Connected | undefined;
  /** The login has ended. */
  ended(): void;
}

/** Where a ticket for a socket comes from; `fresh` when the last access token was refused. */
export type Tickets = (fresh: boolean) => Promise<{ ticket: string } | { status: number; after?: number }>;

export class Wire {
  isLeader = false;
  status: Status = { is: "connecting", since: Date.now() };
  readonly #tab: string;
  readonly #ears: Ears;
  readonly #tickets: Tickets;
  readonly #channel: BroadcastChannel;
  readonly #link = new Link();
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #release: (() => void) | undefined;
  #isEnded = false;
  /** One `sync` at a time is taken by the server. */
  #syncs: Said[] = [];
  #syncing: string | undefined;

  constructor(user: number, tab: string, tickets: Tickets, ears: Ears) {
    this.#tab = tab;
    this.#tickets = tickets;
    this.#ears = ears;
    this.#channel = new BroadcastChannel(`parlour-${user}`);
    this.#channel.onmessage = ({ data }: MessageEvent<Word>) => this.#hear(data);
    this.#tell({ k: "who", tab });
    this.#wait(`parlour-socket-${user}`);
    addEventListener("online", this.#tryNow);
    addEventListener("offline", this.#lost);
  }

  /** Sends a frame, or has it sent. */
  say(frame: Said): void {
    if (this.isLeader) this.#send(frame);
    else this.#tell({ k: "say", frame });
  }

  /** Tells the other tabs of what waits to be sent. */
  tellOutbox(put: Pending | undefined, drop: string | undefined): void {
    this.#tell({ k: "outbox", put, drop });
  }

  /** Does not wait any longer. */
  tryNow(): void {
    if (this.isLeader) this.#tryNow();
    else this.#tell({ k: "try" });
  }

  end(): void {
    this.#isEnded = true;
    removeEventListener("online", this.#tryNow);
    removeEventListener("offline", this.#lost);
    clearInterval(this.#timer);
    this.#channel.close();
    this.#link.stop();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(1000);
    this.#release?.();
  }

  #wait(name: string): void {
    const lead = () => {
      if (this.#isEnded) return Promise.resolve();
      this.#lead();
      return new Promise<void>((release) => { this.#release = release; });
    };
    // A page that was not had by a safe way has no locks: there each tab has a socket of its own.
    if (navigator.locks) void navigator.locks.request(name, lead);
    else queueMicrotask(() => void lead());
  }

  #lead(): void {
    this.isLeader = true;
    this.#ears.closed(undefined);
    this.#tell({ k: "closed", code: undefined });
    this.#ears.leads();
    this.#timer = setInterval(() => this.#do(this.#link.tick(Date.now())), 250);
    this.#do([this.#link.open(Date.now())]);
  }

  #tell(word: Word): void {
    // What was under way when the login ended is told to nobody.
    if (!this.#isEnded) this.#channel.postMessage(word);
  }

  #hear(word: Word): void {
    if (this.#isEnded) return;
    switch (word.k) {
      case "frame":
        if (!this.isLeader) this.#ears.frame(word.frame);
        break;
      case "closed":
        if (!this.isLeader) this.#ears.closed(word.code);
        break;
      case "status":
        if (!this.isLeader) this.#tellStatus(word.status);
        break;
      case "say":
        if (this.isLeader) this.#send(word.frame);
        break;
      case "who":
        if (this.isLeader) this.#tell({ k: "hello", to: word.tab, hello: this.#ears.hello(), status: this.status });
        break;
      case "hello":
        if (word.to !== this.#tab || this.isLeader) break;
        this.#tellStatus(word.status);
        if (word.hello) this.#ears.frame({ type: "system", event: "connected", message: "", ...word.hello } as Heard);
        break;
      case "outbox":
        this.#ears.outbox(word.put, word.drop);
        break;
      case "try":
        if (this.isLeader) this.#tryNow();
        break;
    }
  }

  #tellStatus(status: Status): void {
    this.status = status;
    this.#ears.status(status);
  }

  #changed(): void {
    const { status } = this.#link;
    if (status.is === this.status.is && status.is === "connected") return;
    this.#tellStatus(status);
    this.#tell({ k: "status", status });
  }

  #do(acts: Act[]): void {
    for (const act of acts) {
      if (act.do === "open") void this.#open(act.attempt, act.fresh);
      else if (act.do === "ping") this.#send({ type: "ping" });
      else if (act.do === "log_in") this.#ears.ended();
      else this.#gone(undefined);
    }
    this.#changed();
  }

  async #open(attempt: number, fresh: boolean): Promise<void> {
    const answer = await this.#tickets(fresh).catch(() => ({ status: 0 }) as const);
    if (!this.#link.isCurrent(attempt) || this.#isEnded) return;
    if (!("ticket" in answer)) {
      if (answer.status === 401) return this.#ears.ended();
      if ("after" in answer && answer.after) this.#link.returnAfter(answer.after);
      return this.#do(this.#link.closed(Date.now(), undefined));
    }
    const address = new URL("/ws/chat", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.searchParams.set("ticket", answer.ticket);
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      const now = Date.now();
      const frame = JSON.parse(String(data)) as Heard;
      this.#link.heard(now);
      if (frame.type === "system" && "epoch" in frame) {
        this.#link.connected(now, frame.heartbeat_ms);
        this.#changed();
      } else if (frame.type === "reconnect") {
        this.#link.returnAfter(frame.after_ms);
      }
      this.#ears.frame(frame);
      this.#tell({ k: "frame", frame });
      if ("ref" in frame && frame.ref != null && frame.ref === this.#syncing) this.#nextSync();
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      const isCurrent = this.#link.isCurrent(attempt);
      // 1006: it broke, and nobody said anything.
      const told = code === 1006 ? undefined : code;
      this.#gone(told);
      if (isCurrent) this.#do(this.#link.closed(Date.now(), told));
    };
  }

  #gone(code: number | undefined): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#syncs = [];
    this.#syncing = undefined;
    socket?.close();
    this.#ears.closed(code);
    this.#tell({ k: "closed", code });
  }

  #send(frame: Said): void {
    if (frame.type === "sync") {
      this.#syncs.push(frame);
      if (this.#syncing === undefined) this.#nextSync();
    } else if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(frame));
    }
  }

  #nextSync(): void {
    const next = this.#syncs.shift();
    this.#syncing = next?.ref ?? undefined;
    if (next && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(next));
  }

  readonly #tryNow = (): void => {
    if (!this.isLeader || this.#link.isConnected || this.status.is === "connecting") return;
    this.#do([this.#link.open(Date.now())]);
  };

  /** The browser says that it has no network: what is open is not worth waiting for. */
  readonly #lost = (): void => {
    if (!this.isLeader || !this.#link.isConnected) return;
    this.#gone(undefined);
    this.#do(this.#link.closed(Date.now(), undefined));
  };
}
