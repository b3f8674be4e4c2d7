import { useSyncExternalStore } from "react";

/** The part of the address behind "#/": which area is shown. It never reaches the server. */
export function useHash(): string {
  return useSyncExternalStore(subscribe, read);
}

function subscribe(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}

function read(): string {
  return location.hash.replace(/^#\/?/, "");
}
