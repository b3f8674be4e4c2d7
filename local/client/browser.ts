interface Cookie {
  value: string;
  host: string;
  path: string;
  secure: boolean;
}

export interface Browser {
  /** One request with this browser's cookies; redirects are the caller's to follow. */
  visit(url: string, init?: RequestInit): Promise<Response>;
}

/** As much of a browser as a sign-in needs: cookies by host (whatever the port, as browsers do) and path. */
export function headlessBrowser(): Browser {
  const cookies = new Map<string, Cookie>();
  return {
    async visit(url, init = {}) {
      const { hostname, pathname, protocol } = new URL(url);
      const sent = [...cookies].filter(
        ([, { host, path, secure }]) =>
          host === hostname && isUnder(pathname, path) && (!secure || protocol === "https:" || isLoopback(hostname)),
      );
      const headers = new Headers(init.headers);
      if (sent.length > 0) headers.set("cookie", sent.map(([key, { value }]) => `${nameOf(key)}=${value}`).join("; "));
      const response = await fetch(url, { ...init, headers, redirect: "manual" });
      for (const line of response.headers.getSetCookie()) keep(cookies, line, hostname, pathname);
      return response;
    },
  };
}

/** Whether an address is this machine's own, so that nothing sent to it leaves the machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function keep(cookies: Map<string, Cookie>, line: string, host: string, from: string): void {
  const [, name = "", value = "", attributes = ""] = /^\s*([^=;\s]+)=([^;]*)(.*)$/.exec(line) ?? [];
  const attribute = (wanted: string) => new RegExp(`;\\s*${wanted}(?:=([^;]*))?(?:;|$)`, "i").exec(attributes);
  const path = attribute("path")?.[1]?.trim() || from.slice(0, Math.max(1, from.lastIndexOf("/")));
  const age = attribute("max-age")?.[1];
  const expires = attribute("expires")?.[1];
  const over = age === undefined ? expires !== undefined && Date.parse(expires) <= Date.now() : Number(age) <= 0;
  const key = `${host} ${path} ${name}`;
  if (over) cookies.delete(key);
  else cookies.set(key, { value, host, path, secure: attribute("secure") !== null });
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf(" ") + 1);
}

function isUnder(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}
