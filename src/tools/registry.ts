import { botJobs } from "./bot/jobs.ts";
import { botLogs } from "./bot/logs.ts";
import { botRestart } from "./bot/restart.ts";
import { botSleep } from "./bot/sleep.ts";
import { botStatus } from "./bot/status.ts";
import { botWake } from "./bot/wake.ts";
import { browserAct } from "./browser/act.ts";
import { browserDialog } from "./browser/dialog.ts";
import { browserDownload } from "./browser/download.ts";
import { browserEmulate } from "./browser/emulate.ts";
import { browserEvaluate } from "./browser/evaluate.ts";
import { browserLogs } from "./browser/logs.ts";
import { browserNavigate } from "./browser/navigate.ts";
import { browserPdf } from "./browser/pdf.ts";
import { browserRead } from "./browser/read.ts";
import { browserRecord } from "./browser/record.ts";
import { browserScreenshot } from "./browser/screenshot.ts";
import { browserSession } from "./browser/session.ts";
import { browserSnapshot } from "./browser/snapshot.ts";
import { browserTabs } from "./browser/tabs.ts";
import { browserUpload } from "./browser/upload.ts";
import { browserWait } from "./browser/wait.ts";
import { chatApprove } from "./chat/approve.ts";
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
import { memoryGenerations } from "./memory/generations.ts";
import { memoryList } from "./memory/list.ts";
import { memoryRead } from "./memory/read.ts";
import { memoryRestore } from "./memory/restore.ts";
import { memorySearch } from "./memory/search.ts";
import type { AnyTool } from "./tool.ts";

/** Every tool, in the order clients see them. */
export const TOOLS: readonly AnyTool[] = [
  chatSend,
  chatWait,
  chatCancel,
  chatApprove,
  chatConversations,
  chatHistory,
  memorySearch,
  memoryRead,
  memoryList,
  memoryGenerations,
  memoryRestore,
  commandRun,
  commandStart,
  commandOutput,
  commandStop,
  commandList,
  fileRead,
  fileWrite,
  fileList,
  browserNavigate,
  browserSnapshot,
  browserAct,
  browserScreenshot,
  browserRead,
  browserEvaluate,
  browserWait,
  browserTabs,
  browserDialog,
  browserLogs,
  browserUpload,
  browserDownload,
  browserPdf,
  browserEmulate,
  browserRecord,
  browserSession,
  botStatus,
  botWake,
  botSleep,
  botRestart,
  botLogs,
  botJobs,
];
