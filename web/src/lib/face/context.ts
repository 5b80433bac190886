// The client, for the components below the workspace.
import { getContext, setContext } from "svelte";
import type { Client } from "./client.svelte";

const KEY = Symbol("client");
export const provide = (client: Client): Client => setContext(KEY, client);
export const useClient = (): Client => getContext<Client>(KEY);
