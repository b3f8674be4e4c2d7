import { botRestart } from "./bot/restart.ts";
import { botStatus } from "./bot/status.ts";
import { chatCancel } from "./chat/cancel.ts";
import { chatConversations } from "./chat/conversations.ts";
import { chatHistory } from "./chat/history.ts";
import { chatSend } from "./chat/send.ts";
import { chatWait } from "./chat/wait.ts";
import { commandList } from "./command/list.ts";
import { commandOutput } from "./command/output.ts";
import { commandRun } from "./command/run.ts";
import { commandStart } from "./command/start.ts";
import { commandStop } from "./command/stop.ts";
import { fileList } from "./file/list.ts";
import { fileRead } from "./file/read.ts";
import { fileWrite } from "./file/write.ts";
import type { AnyTool } from "./tool.ts";

/** Every tool, in the order clients see them. */
export const TOOLS: readonly AnyTool[] = [
  chatSend,
  chatWait,
  chatCancel,
  chatConversations,
  chatHistory,
  commandRun,
  commandStart,
  commandOutput,
  commandStop,
  commandList,
  fileRead,
  fileWrite,
  fileList,
  botStatus,
  botRestart,
];
