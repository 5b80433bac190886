// Light or dark: as the system has it, or as was chosen.
export type Theme = "system" | "light" | "dark";
const CHOSEN = "parlour.theme";

export function theme(): Theme {
  const chosen = localStorage.getItem(CHOSEN);
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function chooseTheme(chosen: Theme): void {
  if (chosen === "system") localStorage.removeItem(CHOSEN);
  else localStorage.setItem(CHOSEN, chosen);
  applyTheme();
}

export function applyTheme(): void {
  const chosen = theme();
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
