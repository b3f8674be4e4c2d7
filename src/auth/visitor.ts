import { sha256 } from "../core/digest.ts";
import type { Visitor } from "./access.ts";
import type { Grants } from "./grants.ts";
import { type LoginStore, principalOf } from "./store.ts";

/**
 * The opaque id by which the rest of the Worker knows a visitor. A person who has ever let a client in has the same id
 * here as there; everybody else one of their own.
 */
export async function visitorId(store: LoginStore, visitor: Visitor): Promise<string> {
  switch (visitor.kind) {
    case "person": {
      const known = await principalOf(store, visitor.email);
      return known ?? (await opaque("person", visitor.email.toLowerCase()));
    }
    case "service":
      return await opaque("service", visitor.name);
  }
}

/** Whether the visitor may have a terminal in the sandbox: a person who lets a client run commands there. */
export async function mayUseTerminal(grants: Pick<Grants, "list">, visitor: Visitor, now: number): Promise<boolean> {
  if (visitor.kind !== "person") return false;
  const given = await grants.list(visitor.email);
  return given.some(({ scopes, expires }) => scopes.includes("exec") && (expires === undefined || expires > now));
}

async function opaque(kind: Visitor["kind"], name: string): Promise<string> {
  return (await sha256(`visitor\n${kind}\n${name}`)).slice(0, 32);
}
