// What is open on the screen beside the conversation: dialogs, panes, menus, words that pass.
import { tick } from "svelte";
import type { Message } from "$lib/api/types";

export type Dialog =
  | { is: "switcher" }
  | { is: "browse"; tab?: "browse" | "new"; name?: string }
  | { is: "direct" }
  | { is: "room"; room: string; tab?: "about" | "members" | "notices" }
  | { is: "status" }
  | { is: "profile" }
  | { is: "keys" }
  | { is: "versions"; message: Message }
  | { is: "reactions"; message: Message }
  | { is: "emoji"; pick: (emoji: string) => void }
  | { is: "confirm"; title: string; text: string; yes: string; isDanger?: boolean; do: () => void; /** What is open again when it is answered. */ back?: Dialog }
  | { is: "outbox" }
  | { is: "date"; room: string }
  | { is: "notices" }
  | { is: "later" }
  | { is: "later-time"; pick: (at: Date) => void };

export type MenuItem = { icon: string; text: string; key?: string; isBad?: boolean; do: () => void } | "line" | { note: string };
export interface Menu {
  items: MenuItem[];
  /** Where it opens. */
  x: number;
  y: number;
  label: string;
}
export interface Card {
  user: number;
  username: string;
  x: number;
  y: number;
}
export interface Toast {
  id: number;
  text: string;
  action?: { text: string; do: () => void };
  /** It has to be seen, and stays until it is closed by hand. */
  stays?: boolean;
  /** Whether what it says was seen elsewhere, and it goes. */
  isOver?: () => boolean;
}

/** So many toasts are shown at once, and so many of them that stay: a screen is for what is behind them. */
const [TOASTS, STAYING] = [3, 2];

/** Where the focus goes back to. The buttons of a message go when they are not pointed at: then one goes on writing. */
export function homeOf(opener: Element | null): HTMLElement | undefined {
  const home = opener?.closest(".actions") ? opener.closest(".pane, .main")?.querySelector("textarea.write") : opener;
  return home instanceof HTMLElement ? home : undefined;
}

/** Where one goes on after a dialog: where it was opened; behind one from a menu in the field, where there are keys to type with. */
function placeAfter(opener: Element | null): HTMLElement | undefined {
  const home = homeOf(opener);
  const isMenu = home?.getAttribute("aria-haspopup") === "menu" && matchMedia("(pointer: fine)").matches;
  const pane = isMenu ? (home?.closest(".pane") ?? document.querySelector(".main")) : undefined;
  return pane?.querySelector<HTMLElement>("textarea.write:not(:disabled)") ?? home;
}

class Ui {
  dialog: Dialog | undefined = $state.raw();
  menu: Menu | undefined = $state.raw();
  card: Card | undefined = $state.raw();
  drawer = $state(false);
  /** A message that is to be edited as soon as it is shown, in its room or in a thread. */
  editing: { room: string; id: number; thread?: number } | undefined = $state.raw();
  /** The message whose buttons are shown. */
  near: object | undefined = $state.raw();
  toasts: Toast[] = $state.raw([]);
  /** Said by a screen reader at once. */
  alert = $state("");
  #last = 0;
  #opener: HTMLElement | undefined;

  /** What was changed in a dialog and would be lost with it, as a sentence: then it is said, and the dialog stays. */
  unsaved: string | undefined;

  /** The login is over: nothing that was offered to one person is there for the next. */
  clear(): void {
    this.dialog = this.menu = this.card = this.near = this.editing = this.unsaved = this.#opener = undefined;
    this.drawer = false;
    this.toasts = [];
    this.alert = "";
  }

  #isHeld(): boolean {
    if (this.dialog && this.unsaved) this.toast(this.unsaved);
    return this.dialog !== undefined && this.unsaved !== undefined;
  }

  open(dialog: Dialog): void {
    if (this.#isHeld()) return;
    if (!this.dialog) this.#opener = placeAfter(document.activeElement);
    this.menu = this.card = undefined;
    this.dialog = dialog;
  }

  /** Closes the dialog, and gives the focus back where one stays where one was. */
  close(isBack = true): void {
    if (this.#isHeld()) return;
    const next = this.dialog?.is === "confirm" ? this.dialog.back : undefined;
    this.dialog = next;
    if (next) return;
    const opener = this.#opener;
    this.#opener = undefined;
    // What is behind a dialog takes no focus until it is gone.
    if (isBack) void tick().then(() => opener?.focus());
  }

  openMenu(label: string, items: MenuItem[], at: HTMLElement | { x: number; y: number }): void {
    const box = at instanceof HTMLElement ? at.getBoundingClientRect() : undefined;
    const [x, y] = box ? [box.left, box.bottom] : [(at as { x: number }).x, (at as { y: number }).y];
    this.menu = { items, x, y, label };
  }

  openCard(user: number, username: string, at: HTMLElement): void {
    const box = at.getBoundingClientRect();
    this.card = { user, username, x: box.right + 8, y: box.top };
  }

  toast(text: string, action?: Toast["action"], stays = false, isOver?: Toast["isOver"]): void {
    const toast = { id: ++this.#last, text, action, stays, isOver };
    this.toasts = [...this.toasts, toast];
    if (!stays) setTimeout(() => this.dismiss(toast.id), action ? 10_000 : 4_000);
  }

  /** What there is room for: the newest of those that stay, then the newest of the others. */
  get shown(): Toast[] {
    const stay = this.toasts.filter((one) => one.stays).slice(-STAYING);
    return [...stay, ...this.toasts.filter((one) => !one.stays).slice(stay.length - TOASTS)];
  }

  /** How many that stay wait behind those that are shown. */
  get hidden(): number {
    return Math.max(0, this.toasts.filter((one) => one.stays).length - STAYING);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((one) => one.id !== id);
  }
}

export const ui = new Ui();
