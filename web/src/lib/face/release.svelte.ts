// The worker that keeps the page for days without a connection, and new releases: they are offered, and taken at a quiet moment.

class Release {
  /** Another release waits. */
  isWaiting = $state(false);
  #worker: ServiceWorker | undefined;

  async watch(): Promise<void> {
    if (!("serviceWorker" in navigator) || !isSecureContext) return;
    const policy = globalThis.trustedTypes?.createPolicy("parlour", { createScriptURL: (url) => (url === "/sw.js" ? url : "") });
    const address = (policy?.createScriptURL("/sw.js") ?? "/sw.js") as string;
    try {
      const found = await navigator.serviceWorker.register(address, { updateViaCache: "none" });
      const look = (worker: ServiceWorker | null) => {
        if (!worker) return;
        const ready = () => {
          if (worker.state !== "installed" || !navigator.serviceWorker.controller) return;
          this.#worker = worker;
          this.isWaiting = true;
        };
        ready();
        worker.addEventListener("statechange", ready);
      };
      look(found.waiting);
      found.addEventListener("updatefound", () => look(found.installing));
      setInterval(() => void found.update().catch(() => {}), 3_600_000);
    } catch {
      // Without it the page works as before, but for the days without a connection.
    }
  }

  /** Loads the other release. */
  take(): void {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    this.#worker?.postMessage("take over");
  }
}

export const release = new Release();
