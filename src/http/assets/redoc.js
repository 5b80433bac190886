// The fonts of the system: ReDoc's own choice would be fetched from an outside host.
const fontFamily = "system-ui, sans-serif";
const theme = { typography: { fontFamily, headings: { fontFamily }, code: { fontFamily: "ui-monospace, monospace" } } };
Redoc.init("/openapi.json", { theme, nativeScrollbars: true }, document.getElementById("redoc"));
