// The login: the access token is in memory, the refresh token in a cookie that no script sees. One tab refreshes at a time,
// and tells the others what it got.
import { Refusal, ask, type Answer } from "./http";

/** What is kept of who is logged in, so that the page can begin before the server has answered. Nothing of it is secret. */
export interface Who {
  id: number;
  username: string;
}

interface Kept {
  access_token: string;
  expires_in: number;
  user_id: number;
  username: string;
}

type Word = { k: "token"; token: string; until: number; who: Who } | { k: "leaving" } | { k: "ended"; why: Ended };
export type Ended = "here" | "elsewhere" | "by_server" | "other";

const WHO = "parlour.who";
/** A token that is over within this time is renewed before it is used. */
const MARGIN = 30_000;
/** Whoever signs out waits so long for the server to be told. */
const GOODBYE = 8_000;

/** What one person's page asks by. */
export interface Login {
  token: (fresh?: boolean) => Promise<string>;
  ask: <T>(method: string, address: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer<T>>;
  /** The server has ended it. */
  ended: () => void;
  /** Whether it is being ended, here or in another tab, or is over. */
  isEnding: () => boolean;
  /** Ends it, here and on the server. False when the server could not be told. */
  logOut: () => Promise<boolean>;
}

export class Session {
  who: Who | undefined = readWho();
  /** Another tab has logged in as someone, or the login is over. */
  onchange: (who: Who | undefined, why: Ended | undefined) => void = () => {};
  #token: string | undefined;
  #until = 0;
  #isEnding = false;
  /** Another tab is signing out: the server may close the connection before that tab has heard of it. */
  #isLeaving = false;
  #renewal: { user: number; token: Promise<string> } | undefined;
  readonly #channel = new BroadcastChannel("parlour-session");

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<Word>) => {
      if (data.k === "leaving") this.#hearsLeaving();
      if (data.k === "leaving" || (data.k === "ended" && this.#isEnding)) return;
      if (data.k === "ended") return this.#forget(data.why === "here" ? "elsewhere" : data.why);
      [this.#token, this.#until] = [data.token, data.until];
      if (this.who?.id !== data.who.id) {
        this.who = data.who;
        this.onchange(data.who, undefined);
      }
    };
  }

  /** The other tab may be closed before it has ended anything. */
  #hearsLeaving(): void {
    this.#isLeaving = true;
    setTimeout(() => { this.#isLeaving = false; }, GOODBYE + 2_000);
  }

  /** Hears nothing more. The login goes on. */
  end(): void {
    this.#channel.close();
  }

  async register(username: string, password: string): Promise<void> {
    await ask("POST", "/api/auth/register", { body: { username, password } });
  }

  async logIn(username: string, password: string): Promise<Who> {
    const { body } = await ask<Kept>("POST", "/api/auth/browser/login", { body: { username, password } });
    this.#keep(body);
    return { id: body.user_id, username: body.username };
  }

  /** Ends the login, here and on the server. False when the server could not be told. */
  async #logOut(user: number): Promise<boolean> {
    if (this.who?.id !== user) return true;
    this.#isEnding = true;
    this.#channel.postMessage({ k: "leaving" } satisfies Word);
    try {
      await ask("POST", "/api/auth/browser/logout", { patience: GOODBYE });
      return true;
    } catch (error) {
      return error instanceof Refusal && error.status === 401;
    } finally {
      this.#isEnding = false;
      this.#channel.postMessage({ k: "ended", why: "here" } satisfies Word);
      this.#forget("here");
    }
  }

  /** The login of one person: nothing that is asked by it is ever asked as somebody else, nor when it is over. */
  of({ id }: Who): Login {
    return {
      token: (fresh) => this.#tokenOf(id, fresh),
      ask: <T>(...[method, address, body, headers]: Parameters<Login["ask"]>) => this.#askAs<T>(id, method, address, body, headers),
      ended: () => { if (this.who?.id === id) this.#ended(); },
      isEnding: () => this.who?.id !== id || this.#isEnding || this.#isLeaving,
      logOut: () => this.#logOut(id),
    };
  }

  /** The server has ended the login. */
  #ended(): void {
    if (this.#isEnding || !this.who) return;
    const why = this.#isLeaving ? "elsewhere" : "by_server";
    this.#channel.postMessage({ k: "ended", why } satisfies Word);
    this.#forget(why);
  }

  #check(user: number): void {
    if (this.who?.id !== user) throw new Refusal(401, "login_over", "This login is over.");
  }

  async #tokenOf(user: number, fresh = false): Promise<string> {
    this.#check(user);
    if (this.#token && !fresh && Date.now() < this.#until - MARGIN) return this.#token;
    if (this.#renewal?.user !== user) {
      const renewal = { user, token: this.#renew(user, fresh ? this.#token : undefined).finally(() => { if (this.#renewal === renewal) this.#renewal = undefined; }) };
      this.#renewal = renewal;
    }
    return this.#renewal.token;
  }

  async #askAs<T>(user: number, method: string, address: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>> {
    const token = await this.#tokenOf(user);
    try {
      return await ask<T>(method, address, { body, token, headers });
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error;
      return ask<T>(method, address, { body, token: await this.#tokenOf(user, true), headers });
    }
  }

  async #renew(user: number, stale: string | undefined): Promise<string> {
    const renew = async (): Promise<string> => {
      this.#check(user);
      // Another tab may have renewed it while this one waited for its turn.
      if (this.#token && this.#token !== stale && Date.now() < this.#until - MARGIN) return this.#token;
      const { body } = await ask<Kept>("POST", "/api/auth/browser/refresh");
      this.#check(user);
      // The cookie is of whoever has logged in last in this browser: nobody goes on as somebody else without knowing.
      if (body.user_id !== user) {
        this.#forget("other");
        throw new Refusal(401, "other_account", "Another account is signed in in this browser.");
      }
      this.#keep(body);
      return body.access_token;
    };
    try {
      return await inTurn(renew);
    } catch (error) {
      if (this.who?.id === user && error instanceof Refusal && (error.status === 401 || error.status === 403)) this.#ended();
      throw error;
    }
  }

  #keep({ access_token, expires_in, user_id, username }: Kept): void {
    [this.#token, this.#until] = [access_token, Date.now() + expires_in * 1_000];
    const who = { id: user_id, username };
    localStorage.setItem(WHO, JSON.stringify(who));
    this.#channel.postMessage({ k: "token", token: access_token, until: this.#until, who } satisfies Word);
    const isOther = this.who?.id !== user_id;
    this.who = who;
    if (isOther) this.onchange(who, undefined);
  }

  #forget(why: Ended): void {
    if (!this.who) return;
    [this.#token, this.#until, this.who, this.#isLeaving] = [undefined, 0, undefined, false];
    localStorage.removeItem(WHO);
    this.onchange(undefined, why);
  }
}

/** One tab after the other, where there are locks. Who had to wait looks at what the others have told meanwhile. */
async function inTurn(renew: () => Promise<string>): Promise<string> {
  if (!navigator.locks) return renew();
  const name = "parlour-refresh";
  const first = await navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? renew() : undefined));
  return first ?? navigator.locks.request(name, async () => {
    await new Promise((heard) => setTimeout(heard, 50));
    return renew();
  });
}

function readWho(): Who | undefined {
  try {
    const who: unknown = JSON.parse(localStorage.getItem(WHO) ?? "null");
    return who && typeof who === "object" && "id" in who && "username" in who ? (who as Who) : undefined;
  } catch {
    return undefined;
  }
}
