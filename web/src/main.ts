import { mount } from "svelte";
import App from "./App.svelte";
import { release } from "$lib/face/release.svelte";
import { applyTheme } from "$lib/face/theme";
import { speak, t } from "$lib/words";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/talk.css";
import "./styles/above.css";
import "./styles/small.css";
import "./styles/ours.css";

/** Whether the browser keeps anything for this page. */
function keepsData(): boolean {
  try {
    localStorage.setItem("parlour.probe", "1");
    localStorage.removeItem("parlour.probe");
    return "indexedDB" in globalThis && indexedDB !== null;
  } catch {
    return false;
  }
}

/** Awaited by nothing: the words that it waits for come from a file that waits for this one. */
async function begin(target: HTMLElement): Promise<void> {
  applyTheme();
  await speak();
  mount(App, { target });
  void release.watch();
}

const target = document.getElementById("app");
if (target && keepsData()) {
  void begin(target);
} else if (target) {
  const note = document.createElement("p");
  note.setAttribute("role", "alert");
  note.textContent = t.door.noStorage;
  const main = document.createElement("main");
  main.className = "door";
  main.append(note);
  target.append(main);
}
