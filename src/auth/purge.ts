import type { OAuthHelpers } from "@cloudflare/workers-oauth-provider";
import { log } from "../core/log.ts";
import { keepPurgeCursor, type LoginStore, purgeCursor } from "./store.ts";

/** Records looked at in one run, of grants and of tokens each. A run may make 1,000 requests, and each record is one or two. */
const BATCH = 200;

/**
 * One run of the sweep for what expired or lost its client. It goes on where the last one stopped, so that a store of
 * any size is covered in the end.
 */
export async function purge(oauth: OAuthHelpers, store: LoginStore): Promise<void> {
  const started = Date.now();
  const cursor = await purgeCursor(store);
  const result = await oauth.purgeExpiredData({ batchSize: BATCH, ...(cursor === undefined ? {} : { cursor }) });
  await keepPurgeCursor(store, result.cursor);
  const { grantsChecked, grantsPurged, tokensChecked, tokensPurged, done } = result;
  log("info", "oauth.purge", {
    outcome: done ? "done" : "to be continued",
    grantsChecked,
    grantsPurged,
    tokensChecked,
    tokensPurged,
    ms: Date.now() - started,
  });
}
