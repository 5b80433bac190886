// Which view is on the screen, as the address says it.
import { Trail } from "./trail";

export type View =
  | { is: "start" }
  | { is: "room"; room: string; at?: number; thread?: number }
  | { is: "threads" }
  | { is: "saved" };

function parse(pathname: string): View {
  const parts = pathname.split("/").filter(Boolean).map(decode);
  if (parts[0] === "threads") return { is: "threads" };
  if (parts[0] === "saved") return { is: "saved" };
  if (parts[0] !== "r" || !parts[1]) return { is: "start" };
  const isThread = parts[2] === "t";
  const number = Number(isThread ? parts[3] : parts[2]);
  const id = Number.isSafeInteger(number) && number > 0 ? number : undefined;
  return { is: "room", room: parts[1], ...(id && (isThread ? { thread: id } : { at: id })) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function addressOf(view: View): string {
  if (view.is === "threads" || view.is === "saved") return `/${view.is}`;
  if (view.is === "start") return "/";
  const room = `/r/${encodeURIComponent(view.room)}`;
  return view.thread ? `${room}/t/${view.thread}` : view.at ? `${room}/${view.at}` : room;
}

/** Where Back is a key or a stroke of the device: on phones, and whatever is held by fingers. */
const hasBack = (): boolean => matchMedia("(max-width: 640px), (pointer: coarse)").matches;

class Router {
  view: View = $state.raw(parse(location.pathname));
  #address = location.pathname;
  readonly #trail = new Trail(() => this.#arrived(), hasBack);

  #arrived(): void {
    if (this.#address === location.pathname) return;
    this.#address = location.pathname;
    this.view = parse(location.pathname);
  }

  go(view: View, options: { replace?: boolean } = {}): void {
    this.#address = addressOf(view);
    this.#trail.go(this.#address, options.replace);
    this.view = view;
  }

  /** Closes what was opened from this view; where it was opened by its address, this one takes its place. */
  leave(view: View): void {
    this.#address = addressOf(view);
    this.#trail.leave(this.#address);
    this.view = view;
  }

  /** Something lies over the view, until what this returns is called: Back closes it. */
  over(close: () => void): () => void {
    return this.#trail.over(close);
  }

  /** Goes where a link of this server leads; false when that is no view. */
  follow(href: string): boolean {
    const url = new URL(href, location.href);
    if (url.origin !== location.origin || !/^\/(r|threads|saved)(\/|$)/.test(url.pathname)) return false;
    this.go(parse(url.pathname));
    return true;
  }
}

export const router = new Router();
