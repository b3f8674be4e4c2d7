import { deadline, pause } from "../core/deadline.ts";
import { toFailure } from "../core/failure.ts";
import { log } from "../core/log.ts";
import type { GatewayAccess } from "../gateway/access.ts";
import { type Artifact, downloadArtifact, listArtifacts } from "../gateway/artifacts.ts";
import type { GatewayConnection } from "../gateway/connection.ts";
import type { ChatLimits } from "./limits.ts";
import type { Turn } from "./turn.ts";

/** The gateway copies attached files after the run has ended; measured at 50 to 300 ms for small ones. ms between looks. */
const LOOKS = [0, 60, 120, 250, 500, 1_000, 2_000];

/** For one picture of at most a megabyte, from the container next door. */
const DOWNLOAD_MS = 15_000;

/** Puts the pictures of a finished answer into its log; what is not sent along gets a note. Never fails the run. */
export async function collectFiles(
  turn: Turn,
  access: GatewayAccess,
  connection: GatewayConnection,
  limits: ChatLimits,
): Promise<void> {
  try {
    const files = await attachedFiles(turn, connection);
    const missing = turn.attached.size - files.length;
    if (missing > 0)
      turn.log.append({ type: "note", text: `${missing} attached file(s) could not be read by the gateway.` });
    for (const [index, file] of files.entries()) {
      if (index >= limits.images) {
        turn.log.append({ type: "note", text: `${files.length - index} more files are not shown.` });
        return;
      }
      await collect(turn, access, connection, file, limits.imageBytes);
    }
  } catch (error) {
    log("warn", "chat.files", { run: turn.run.id, outcome: toFailure(error).code, cause: error });
    turn.log.append({ type: "note", text: "The bot attached files, but they could not be fetched." });
  }
}

async function attachedFiles(turn: Turn, connection: GatewayConnection): Promise<Artifact[]> {
  const { id: runId, session } = turn.run;
  let files: Artifact[] = [];
  for (const wait of LOOKS) {
    if (wait > 0) await pause(wait);
    files = await listArtifacts(connection, { session, runId });
    if (files.length >= turn.attached.size) break;
  }
  return files;
}

async function collect(
  turn: Turn,
  access: GatewayAccess,
  connection: GatewayConnection,
  file: Artifact,
  limit: number,
): Promise<void> {
  const { session } = turn.run;
  const mimeType = file.mimeType ?? "application/octet-stream";
  const about = `${file.title} (${mimeType}${file.sizeBytes === undefined ? "" : `, ${file.sizeBytes} bytes`})`;
  if (!mimeType.startsWith("image/")) {
    turn.log.append({ type: "note", text: `The bot attached ${about}; read it from its workspace with file_read.` });
    return;
  }
  try {
    if ((file.sizeBytes ?? 0) > limit) throw new RangeError(`${file.sizeBytes} bytes`);
    using limited = deadline(DOWNLOAD_MS);
    const { signal } = limited;
    const data = await downloadArtifact(access, connection, { session, id: file.id, limit }, { signal });
    turn.log.append({ type: "image", mimeType, data, name: file.title });
  } catch (error) {
    const large = error instanceof RangeError || toFailure(error).code === "too_large";
    if (!large) throw error;
    turn.log.append({
      type: "note",
      text: `The picture ${about} is too large to send along; read it from the bot's workspace with file_read.`,
    });
  }
}
