import { cancelCommand } from "../sandbox/commands.ts";
import type { ToolServices } from "./services.ts";

/** Stops what a cancelled call has running. Chats are left alone: a run outlives the client that asked for it. */
export async function cancelCall(services: ToolServices, caller: string): Promise<void> {
  await cancelCommand(services.commands, caller);
}
