import type { Scope } from "../core/scope.ts";
import type { Complete } from "../prompts/prompt.ts";
import { only, type ToolServices } from "../tools/services.ts";
import type { Call } from "../tools/tool.ts";

/** A part of what a resource is, or all of it. */
export type Contents = { uri: string; mimeType: string; next?: string } & ({ text: string } | { blob: string });

/** A resource is a value, as a tool is: something a client reads by its address. It never changes anything. */
export interface Resource<Needs extends keyof ToolServices = keyof ToolServices> {
  name: string;
  title: string;
  description: string;
  /** An address, or a template (RFC 6570) when it has braces. */
  uri: string;
  mimeType?: string;
  scope: Scope;
  /** It is shown with the tools of this set. */
  toolset: string;
  needs: readonly Needs[];
  complete?: Record<string, Complete<Pick<ToolServices, Needs>>>;
  /** Undefined when the address is not this resource's; fails with `not_found` when it is, but nothing is there. */
  read: (uri: URL, services: Pick<ToolServices, Needs>, call: Call) => Promise<readonly Contents[] | undefined>;
}

/** Any resource, as the registry holds it. */
export interface AnyResource extends Omit<Resource, "needs" | "complete" | "read"> {
  complete: Record<string, Complete<ToolServices>>;
  read: (uri: URL, services: ToolServices, call: Call) => Promise<readonly Contents[] | undefined>;
}

/** Has the compiler check a resource's parts against each other, and hides its types from the registry. */
export function defineResource<Needs extends keyof ToolServices>(resource: Resource<Needs>): AnyResource {
  const { needs, complete = {}, read, ...facts } = resource;
  return {
    ...facts,
    complete: Object.fromEntries(
      Object.entries(complete).map(([argument, of]) => [
        argument,
        (typed: string, services: ToolServices, call: Call) => of(typed, only(services, needs), call),
      ]),
    ),
    read: (uri, services, call) => read(uri, only(services, needs), call),
  };
}
