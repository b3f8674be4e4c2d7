import { chatAnswer } from "./answer.ts";
import { workspaceFile } from "./file.ts";
import { memoryFile } from "./memory.ts";
import type { AnyResource } from "./resource.ts";
import { statusResource } from "./status.ts";

/** Every resource, in the order clients see them; the first whose address fits is read. */
export const RESOURCES: readonly AnyResource[] = [statusResource, chatAnswer, memoryFile, workspaceFile];
