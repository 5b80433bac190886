/** A sentence of the server as it stands behind a colon. */
export const behindColon = (sentence: string): string =>
  (/^[A-Z][a-z']/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence).replace(/\.$/, "");
