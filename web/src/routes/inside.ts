// All that only who is signed in needs at first, as one part to be loaded.
export { Client } from "$lib/face/client.svelte";
export { default as Workspace } from "./Workspace.svelte";
