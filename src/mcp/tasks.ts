import { deadline, raced } from "../core/deadline.ts";
import { Failure } from "../core/failure.ts";
import type { Tasks } from "../tools/task.ts";
import type { ToolServices } from "../tools/services.ts";
import type { Call } from "../tools/tool.ts";
import { type McpContext, offered } from "./context.ts";
import { observed } from "./observe.ts";
import { tasksNeeded } from "./pipeline.ts";
import { asProtocolError } from "./prompts.ts";
import { renderTaskState } from "./render.ts";

const DEADLINE_MS = 30_000;

type AnyTasks = Tasks<ToolServices, Record<string, unknown>>;

/** `tasks/get`: how far it is, and what came of it. */
export async function getTask(context: McpContext, id: string, call: Call) {
  const state = await onTask(context, "tasks/get", id, call, ({ get }, limited) => get(id, context.services, limited));
  return renderTaskState(state);
}

/** `tasks/cancel`. What has ended stays as it is. */
export async function cancelTask(context: McpContext, id: string, call: Call) {
  await onTask(context, "tasks/cancel", id, call, ({ cancel }, limited) => cancel(id, context.services, limited));
  return { resultType: "complete" as const };
}

/** `tasks/update`: answers to what the task asked. */
export async function updateTask(context: McpContext, id: string, answers: Record<string, unknown>, call: Call) {
  await onTask(context, "tasks/update", id, call, async ({ get, update }, limited) => {
    if (update) await update(id, answers, context.services, limited);
    // Its answers are ignored, as those to questions that are over; but it has to be there.
    else await get(id, context.services, limited);
  });
  return { resultType: "complete" as const };
}

async function onTask<T>(
  context: McpContext,
  action: string,
  id: string,
  call: Call,
  work: (tasks: AnyTasks, call: Call) => Promise<T>,
): Promise<T> {
  if (!call.canTask) throw tasksNeeded();
  return await asProtocolError(
    async () =>
      await observed(context, action, { taskId: id }, async () => {
        const tasks = offered(context).tools.find((tool) => tool.tasks?.pattern.test(id))?.tasks;
        if (!tasks) throw unknownTask();
        using limit = deadline(DEADLINE_MS, call.signal);
        return await raced(work(tasks, { ...call, signal: limit.signal }), limit.signal);
      }),
  );
}

function unknownTask(): Failure {
  return new Failure("not_found", "There is no such task.", { hint: "Tasks are kept for a while only; call again." });
}
