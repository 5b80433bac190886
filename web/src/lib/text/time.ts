// Times as people write them, in the language of the page.
let locale = "en";
const formats = new Map<string, Intl.DateTimeFormat>();

export function setLocale(language: string): void {
  // Of the browser's languages the first that fits gives the form of dates: en-GB and en-US differ.
  locale = navigator.languages.find((one) => one.split("-")[0] === language) ?? language;
  formats.clear();
}

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let found = formats.get(name);
  if (!found) formats.set(name, (found = new Intl.DateTimeFormat(locale, options)));
  return found;
}

export const timeOf = (at: string | number): string =>
  format("time", { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
/** The same where there is room for digits alone, beside messages whose half of the day stands above. */
export const clockOf = (at: string | number): string => timeOf(at).replace(/\s?\p{L}.*/u, "");
export const whole = (at: string | number): string =>
  format("whole", { dateStyle: "full", timeStyle: "short" }).format(new Date(at));
export const dateOf = (at: string | number): string =>
  format("date", { day: "numeric", month: "long" }).format(new Date(at));
export const timeIn = (zone: string, now: number): string | undefined => {
  try {
    return new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(now);
  } catch {
    return undefined;
  }
};

/** The day of a time, in this time zone: the same for all times of a day, greater for later ones. */
export function dayOf(at: string | number): number {
  const date = new Date(at);
  return date.getFullYear() * 10_000 + date.getMonth() * 100 + date.getDate();
}

/** A day in words: today, yesterday, tomorrow, or its name. */
export function dayName(at: string | number, now: number): string {
  const day = dayOf(at);
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (day === dayOf(now)) return capital(relative.format(0, "day"));
  if (day === dayOf(now - 86_400_000)) return capital(relative.format(-1, "day"));
  if (day === dayOf(now + 86_400_000)) return capital(relative.format(1, "day"));
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const name = isThisYear ? "day" : "day-year";
  return format(name, { weekday: "long", day: "numeric", month: "long", ...(!isThisYear && { year: "numeric" }) }).format(new Date(at));
}

/** When something was, short: the time of today, else the day. */
export function when(at: string | number, now: number): string {
  return dayOf(at) === dayOf(now) ? timeOf(at) : `${dateOf(at)}, ${timeOf(at)}`;
}

export const number = (value: number): string => new Intl.NumberFormat(locale).format(value);
export const list = (names: string[]): string => new Intl.ListFormat(locale, { type: "conjunction" }).format(names);
export const plural = (count: number, one: string, other: string): string =>
  new Intl.PluralRules(locale).select(count) === "one" ? one : other;
/** So many of something. */
export const counted = (count: number, one: string, other: string): string => `${number(count)} ${plural(count, one, other)}`;

const capital = (text: string): string => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
