// Finding the first message of a day. The server pages by numbers, and numbers go up with time: so the place is found by
// halving, one message at a time.

export interface Found {
  id: number;
  created_at: string;
}

/** The first message at or after a moment, of those with numbers above 0 and up to `top`; undefined when all are older.
 *  `next` gives the first message with a greater number than the one it is given. */
export async function firstSince(since: number, top: number, next: (after: number) => Promise<Found | undefined>): Promise<Found | undefined> {
  let [before, upto] = [0, top];
  let found: Found | undefined;
  // All up to `before` are older; `found`, if there is one, is not, and none between `upto` and it.
  while (before < upto) {
    const middle = Math.floor((before + upto - 1) / 2);
    const one = await next(middle);
    if (!one || Date.parse(one.created_at) >= since) {
      if (one) found = one;
      upto = middle;
    } else {
      before = one.id;
    }
  }
  return found;
}
