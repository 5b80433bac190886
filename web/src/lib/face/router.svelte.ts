// Which view is on the screen, as the address says it.
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

class Router {
  view: View = $state.raw(parse(location.pathname));

  constructor() {
    addEventListener("popstate", () => { this.view = parse(location.pathname); });
  }

  go(view: View, options: { replace?: boolean } = {}): void {
    const address = addressOf(view);
    if (options.replace) history.replaceState(null, "", address);
    else if (address !== location.pathname) history.pushState(null, "", address);
    this.view = view;
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
