import type * as Wire from "./access.ts";
import { act } from "./act.ts";
import { LAST_SETTLE_MS, NEW_PAGE_CHARACTERS, STEP_SETTLE_MS } from "./limits.ts";
import { changes } from "./outline.ts";
import { type BrowserSecrets, tellable } from "./secrets.ts";
import type { Tab } from "./tab.ts";

/** Does the steps in turn until one fails or opens a dialog, and shows what they changed. `front` brings the tab forward. */
export async function takeSteps(
  tab: Tab,
  { steps, show }: Wire.ActRequest,
  { secrets, front }: { secrets: BrowserSecrets; front: () => Promise<void> },
): Promise<Wire.ActResult> {
  const { dialogs, activity } = tab;
  const before = show === "changes" ? await dialogs.interrupting(() => tab.lines()) : [];
  const { document } = tab;
  const result: Wire.ActResult = { done: 0 };
  tab.takeRefusal();
  for (const [index, step] of steps.entries()) {
    try {
      // A step before may have opened a tab in front of it.
      await dialogs.interrupting(() => front().then(() => act(tab, step, secrets)));
      result.done += 1;
    } catch (error) {
      const failure = tellable(error, tab.hide);
      // The step has opened the dialog: it is done, and those after it are not.
      if (dialogs.open) result.done += 1;
      if (!dialogs.open || result.done < steps.length) result.failed = failure.view();
      break;
    }
    await activity.settled(index === steps.length - 1 ? LAST_SETTLE_MS : STEP_SETTLE_MS);
  }
  const refused = tab.takeRefusal();
  if (refused !== undefined) tab.note(`A page was not opened: ${refused}`);
  if (dialogs.open || show === "nothing" || tab.page.isClosed()) return result;
  if (show === "changes" && tab.document === document) {
    return { ...result, changes: changes(before, await dialogs.interrupting(() => tab.lines())) };
  }
  const shown = await dialogs.interrupting(() =>
    tab.snapshot({ mode: "interactive", characters: NEW_PAGE_CHARACTERS }),
  );
  return { ...result, changes: shown.snapshot, ...(shown.cursor === undefined ? {} : { cursor: shown.cursor }) };
}
