import { createRequestStateCodec, type ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Grant } from "../auth/principal.ts";
import { Failure } from "../core/failure.ts";

/** How long a person has for an answer. */
const TTL_SECONDS = 600;

/** What travels through the client between a question and its answer. */
const carried = z.object({
  /** The tool or prompt that asked. */
  of: z.string(),
  /** Of its arguments: an answer is to the question that was asked, not to another call. */
  digest: z.string(),
  state: z.unknown().optional(),
});

export interface RequestState {
  /** Makes the text that the client carries. */
  sign: (of: string, digest: string, state: unknown, context: ServerContext) => Promise<string>;
  /** For the protocol library, which asks before any handler: whether it is ours, this caller's and fresh. */
  verify: (text: string, context: ServerContext) => Promise<unknown>;
  /** The state of what `verify` let pass, if it was given for this very call. */
  read: (verified: unknown, of: string, digest: string) => unknown;
}

/**
 * The state of a question on its way through the client: signed, and good for one caller. The key is fetched only when
 * there is something to sign or to verify, which is seldom.
 */
export function requestState(signingKey: () => Promise<string>, caller: Grant): RequestState {
  let made: Promise<ReturnType<typeof createRequestStateCodec>> | undefined;
  const codec = () =>
    (made ??= signingKey().then((key) =>
      createRequestStateCodec({
        key,
        ttlSeconds: TTL_SECONDS,
        bind: () => `${caller.principal.id}:${caller.clientId}`,
      }),
    ));
  return {
    sign: async (of, digest, state, context) => await (await codec()).mint({ of, digest, state }, context),
    verify: async (text, context) => await (await codec()).verify(text, context),
    read(verified, of, digest) {
      const known = carried.safeParse(verified);
      if (known.success && known.data.of === of && known.data.digest === digest) return known.data.state;
      throw new Failure("invalid_input", "This requestState was given for another call.", {
        hint: "Repeat the call with the very arguments of the first time, or begin anew without requestState.",
      });
    },
  };
}
