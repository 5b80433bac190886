// The regions of the page, in the order in which F6 goes round them.
const AREAS = [".sidebar", "[data-area=header]", "[data-area=timeline]", "[data-area=composer]", "[data-area=pane]"];
/** What takes the focus in a region: the first of these that is there and can be seen. */
const WITHIN = ["textarea:not(:disabled)", "a[aria-current]", "button:not(:disabled)", "a", "[tabindex='0']"];

type Seen = (element: HTMLElement) => boolean;
const isDrawn: Seen = (element) => element.getClientRects().length > 0;

function entrance(area: HTMLElement, isSeen: Seen): HTMLElement | undefined {
  if (area.matches("[tabindex='0']")) return area;
  for (const one of WITHIN) {
    const found = [...area.querySelectorAll<HTMLElement>(one)].find(isSeen);
    if (found) return found;
  }
  return undefined;
}

/** Gives the focus to the next region or the one before, from wherever it is. One that is hidden, or has nothing to do, is passed by. */
export function nextArea(by: 1 | -1, isSeen = isDrawn): void {
  // A pane has messages and a field of its own, and is one region with them.
  const areas = AREAS.flatMap((one) => [...document.querySelectorAll<HTMLElement>(one)].filter((area) => !area.parentElement?.closest("[data-area=pane]") && isSeen(area)));
  const ways = areas.map((area) => entrance(area, isSeen));
  const at = areas.findIndex((area) => area.contains(document.activeElement));
  const from = at < 0 && by < 0 ? 0 : at;
  for (let n = 1; n <= areas.length; n++) {
    const next = ways[(from + by * n + areas.length * n) % areas.length];
    if (next) return next.focus();
  }
}
