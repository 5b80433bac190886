// Asking the server by HTTP: one place for headers, answers and what went wrong.
import type { Problem } from "./types";

/** What the server says is wrong, or that it did not answer. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly after: number | undefined = undefined,
    readonly problem: Problem | undefined = undefined,
  ) {
    super(detail);
  }

  /** The server could not be reached, or said nothing that is understood. */
  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

export interface Answer<T> {
  body: T;
  /** Where the next page is. */
  next: string | undefined;
  /** Whether older messages come before this page. */
  prev: string | undefined;
}

const links = (header: string | null): Map<string, string> => {
  const found = new Map<string, string>();
  for (const [, address, relation] of (header ?? "").matchAll(/<([^>]*)>;\s*rel="?(\w+)"?/g)) {
    if (address && relation) found.set(relation, address);
  }
  return found;
};

/** How long a request may take, unless it is said. */
const PATIENCE = 30_000;

export interface Asked {
  body?: unknown;
  token?: string;
  headers?: Record<string, string>;
  patience?: number;
}

export async function ask<T>(method: string, path: string, options: Asked = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  let response: Response, text: string;
  try {
    response = await fetch(path, { method, headers, body, signal: AbortSignal.timeout(options.patience ?? PATIENCE), credentials: "same-origin", cache: "no-store" });
    text = await response.text();
  } catch {
    throw new Refusal(0, "unreachable", "The server cannot be reached.");
  }
  let json: unknown;
  try {
    json = text === "" ? undefined : JSON.parse(text);
  } catch {
    throw new Refusal(response.ok ? 0 : response.status, "not_understood", "The answer is not from this server.");
  }
  if (!response.ok) {
    const problem = json as Problem | undefined;
    const after = Number(response.headers.get("retry-after")) * 1_000 || undefined;
    throw new Refusal(response.status, problem?.code ?? "unknown", problem?.detail ?? response.statusText, after, problem);
  }
  const found = links(response.headers.get("link"));
  return { body: json as T, next: found.get("next"), prev: found.get("prev") };
}

/** A path with its parts encoded. */
export const path = (parts: TemplateStringsArray, ...values: (string | number)[]): string =>
  parts.reduce((whole, part, index) => whole + part + (index < values.length ? encodeURIComponent(String(values[index])) : ""), "");
