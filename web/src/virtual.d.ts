/** Made by vite.config.ts: an emoji, its name, its key words, its group. */
declare module "virtual:emoji" {
  const rows: [string, string, string, number][];
  export default rows;
}

interface TrustedTypePolicy {
  createScriptURL(url: string): unknown;
}
declare var trustedTypes:
  | { createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): TrustedTypePolicy }
  | undefined;
