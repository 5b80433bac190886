// The connection, as a pure machine: when to open a socket, when to take it for dead, how long to wait before the next try.
// The rules are those of `crates/client/src/link.rs`.

/** Longest wait between two tries; the first is between nothing and the second of these, and each failure doubles that. */
const [MAX_WAIT, FIRST_WAIT] = [30_000, 500];
/** A socket that lived this long was a good one: the next wait starts small again. */
const GOOD_LIFE = 5_000;
/** How long a new socket may take to say hello. */
const HELLO_TIME = 20_000;
/** The wait after "too many sockets": others of ours must go first. */
const CROWDED_WAIT = 20_000;

export type Status =
  | { is: "connecting"; since: number }
  | { is: "connected"; since: number; heard: number }
  | { is: "waiting"; until: number; failures: number }
  /** No further try until someone asks for one. */
  | { is: "offline"; code?: number };

export type Act = { do: "open"; attempt: number; fresh: boolean } | { do: "drop" } | { do: "ping" } | { do: "log_in" };

export class Link {
  status: Status = { is: "offline" };
  #attempt = 0;
  #failures = 0;
  #fresh = false;
  #heartbeat = 25_000;
  #pinged = 0;
  /** The server said when to come back. */
  #returnAfter: number | undefined;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  get isConnected(): boolean {
    return this.status.is === "connected";
  }

  isCurrent(attempt: number): boolean {
    return attempt === this.#attempt && (this.status.is === "connecting" || this.status.is === "connected");
  }

  open(now: number): Act {
    this.#attempt += 1;
    this.#returnAfter = undefined;
    this.status = { is: "connecting", since: now };
    const fresh = this.#fresh;
    this.#fresh = false;
    return { do: "open", attempt: this.#attempt, fresh };
  }

  connected(now: number, heartbeat: number): void {
    this.#heartbeat = Math.max(heartbeat, 1_000);
    this.#pinged = now;
    this.status = { is: "connected", since: now, heard: now };
  }

  heard(now: number): void {
    if (this.status.is === "connected") this.status = { ...this.status, heard: now };
  }

  returnAfter(after: number): void {
    this.#returnAfter = Math.min(after, MAX_WAIT);
  }

  closed(now: number, code: number | undefined): Act[] {
    if (this.status.is === "connected" && now - this.status.since >= GOOD_LIFE) this.#failures = 0;
    switch (code) {
      case 4403:
        this.status = { is: "offline", code };
        return [{ do: "log_in" }];
      case 4401:
        this.#fresh = true;
        if (this.#failures === 0) {
          this.#failures = 1;
          return [this.open(now)];
        }
        this.#wait(now);
        return [];
      case 4429:
        this.#returnAfter ??= CROWDED_WAIT;
        this.#wait(now);
        return [];
    }
    if (code !== undefined && ((code >= 4400 && code <= 4499) || code === 1008)) this.status = { is: "offline", code };
    else this.#wait(now);
    return [];
  }

  tick(now: number): Act[] {
    const { status } = this;
    if (status.is === "waiting" && status.until <= now) return [this.open(now)];
    if (status.is === "connecting" && now - status.since > HELLO_TIME) {
      this.#wait(now);
      return [{ do: "drop" }];
    }
    if (status.is !== "connected") return [];
    if (now - status.heard > 2 * this.#heartbeat) {
      this.#wait(now);
      return [{ do: "drop" }];
    }
    if (now - this.#pinged < this.#heartbeat) return [];
    this.#pinged = now;
    return [{ do: "ping" }];
  }

  stop(): void {
    this.#attempt += 1;
    this.status = { is: "offline" };
  }

  /** Full jitter: anything between nothing and a bound that doubles with each failure, so that the clients of a server that
   *  went down do not all come back in the same moment. What the server asked for comes on top. */
  #wait(now: number): void {
    const bound = Math.min(FIRST_WAIT * 2 ** Math.min(this.#failures, 10), MAX_WAIT);
    const wait = (this.#returnAfter ?? 0) + Math.round(this.#random() * bound);
    this.#returnAfter = undefined;
    this.#failures += 1;
    this.status = { is: "waiting", until: now + wait, failures: this.#failures };
  }
}
