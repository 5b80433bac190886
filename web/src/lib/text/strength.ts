// How hard a password is to guess, roughly, in four steps: what it costs to try all that are made like it.
const COMMON = /^(?:password|passwort|qwert[yz]|letmein|welcome|iloveyou|admin|abc123|monkey|dragon|sunshine|princess|football|parlour)/i;

export function strengthOf(password: string, username: string): 1 | 2 | 3 | 4 {
  const characters = [...password.toLowerCase()];
  let bits = 0;
  let before = "", run = 0;
  const seen = new Map<string, number>();
  for (const one of characters) {
    const step = (one.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0);
    // What goes on as it began adds little.
    run = before && (step === 0 || Math.abs(step) === 1) ? run + 1 : 0;
    const times = (seen.get(one) ?? 0) + 1;
    seen.set(one, times);
    const pool = /[a-z]/.test(one) ? 4 : /[0-9]/.test(one) ? 3.3 : one === " " ? 2 : 5;
    bits += run >= 2 ? 0.5 : times > 3 ? pool / 2 : pool;
    before = one;
  }
  if (password !== password.toLowerCase()) bits += 3;
  if (COMMON.test(password)) bits -= 24;
  if (username.length > 2 && password.toLowerCase().includes(username.toLowerCase())) bits -= 4 * username.length;
  return characters.length < 8 || bits < 26 ? 1 : bits < 40 ? 2 : bits < 60 ? 3 : 4;
}
