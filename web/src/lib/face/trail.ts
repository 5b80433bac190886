// The browser's history as this page writes it: a step for each view, and, where Back is a key of the device, one for each thing
// that lies over a view. So Back closes the topmost of them first. A step of one that was closed otherwise is gone back over.

interface Step {
  /** How many things lie over the view at this step. */
  over?: number;
  /** Where the view below them is; or from where this one was opened. */
  from?: string;
}

/** For so long is waited until steps back are done; a browser that has no such step says nothing. */
const PATIENCE = 1_000;

export class Trail {
  /** How each of what lies over the view is closed, the topmost last. */
  #over: (() => void)[] = [];
  /** How many of them had a step when last looked at. */
  #laid = 0;
  /** What is done when the steps back are done that are under way. */
  #then: (() => void) | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  /** The address that the view was given while something lay over it, which the steps below do not have yet. */
  #moved: { from: string; to: string } | undefined;
  readonly #arrived: () => void;
  readonly #isWanted: () => boolean;

  /** `arrived` is called when the address may be another one; `isWanted` says whether Back is to close things. */
  constructor(arrived: () => void, isWanted: () => boolean) {
    this.#arrived = arrived;
    this.#isWanted = isWanted;
    addEventListener("popstate", () => this.#popped());
    this.#settleSoon();
  }

  get #step(): Step {
    return (history.state as Step | null) ?? {};
  }

  /** Something lies over the view, until what this returns is called. */
  over(close: () => void): () => void {
    this.#over.push(close);
    this.#settleSoon();
    return () => {
      this.#over = this.#over.filter((one) => one !== close);
      this.#settleSoon();
    };
  }

  go(address: string, isInPlace = false): void {
    const { over = 0, from } = this.#step;
    if (this.#then) this.#then = () => this.go(address, isInPlace);
    else if (isInPlace) {
      if (over > 0) this.#moved = { from: this.#moved?.from ?? location.pathname, to: address };
      history.replaceState(history.state, "", address);
    }
    else if (address === location.pathname) return;
    else if (over > 1) this.#goBack(over, () => this.go(address));
    // The step of what lay over the view before becomes that of this one.
    else if (over === 1) history.replaceState({ from } satisfies Step, "", address);
    else history.pushState({ from: location.pathname } satisfies Step, "", address);
    this.#settleSoon();
  }

  /** Leaves what was opened from this address, and is there again. */
  leave(address: string): void {
    const { over = 0, from } = this.#step;
    if (!this.#then && over === 0 && from === address) this.#goBack(1);
    else this.go(address, true);
  }

  #goBack(steps: number, then = () => {}): void {
    this.#then = then;
    this.#patience = setTimeout(() => this.#popped(), PATIENCE);
    history.go(-steps);
  }

  #popped(): void {
    const then = this.#then, { over = 0 } = this.#step;
    if (this.#moved?.from === location.pathname) history.replaceState(history.state, "", this.#moved.to);
    if (over === 0) this.#moved = undefined;
    clearTimeout(this.#patience);
    this.#then = undefined;
    then?.();
    // What goes on from here, or has been left already, is no other view.
    if (!then) {
      this.#arrived();
      for (const close of this.#over.slice(over, Math.max(this.#laid, over)).reverse()) close();
    }
    this.#laid = over;
    this.#settleSoon();
  }

  /** Once all is closed and opened that is so at one press. */
  #settleSoon(): void {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#settle());
  }

  #settle(): void {
    if (this.#then) return;
    const { over = 0, from } = this.#step;
    const wanted = this.#isWanted() ? this.#over.length : Math.min(over, this.#over.length);
    this.#laid = wanted;
    if (over > wanted) return this.#goBack(over - wanted);
    for (let next = over + 1; next <= wanted; next++) history.pushState({ over: next, from: over ? from : location.pathname } satisfies Step, "");
  }
}
