// What markdown-it asks of the package of this name, by what the browser has: hosts as an address has them. A host that was written
// so is shown so, and not as what it stands for, which may look like another.
export const toASCII = (host: string): string => new URL(`https://${host}`).hostname;
export const toUnicode = (host: string): string => host;
export default { toASCII, toUnicode };
