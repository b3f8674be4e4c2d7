import { Toast } from "@base-ui/react/toast";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { hintOf } from "../api/call.ts";
import { Confirm, type Question } from "./confirm.tsx";
import { Icon, type IconName } from "./icon.tsx";

interface ActionProps<Result> {
  label: string;
  icon?: IconName;
  tone?: "main" | "danger";
  /** Reads better than the label alone where a list has many of them: "Revoke Claude Code". */
  name?: string;
  disabled?: boolean;
  /** Asked first. */
  question?: Question;
  run: () => Promise<Result>;
  /** What to say when it is done. */
  done: string;
  /** What has changed by it, by the keys of the queries. */
  touches: readonly (readonly unknown[])[];
}

/** A button that changes something on the server: busy while it does, and then says how it ended. */
export function Action<Result>(props: ActionProps<Result>): ReactNode {
  const { label, icon, tone, name, disabled = false, question, run, done, touches } = props;
  const [asking, setAsking] = useState(false);
  const queries = useQueryClient();
  const toasts = Toast.useToastManager();
  const work = useMutation({
    mutationFn: run,
    onSuccess: () => toasts.add({ title: done, type: "good" }),
    onSettled: async () => {
      await Promise.all(touches.map((queryKey) => queries.invalidateQueries({ queryKey })));
      // What it was about may be gone, and the button with it.
      requestAnimationFrame(keepFocus);
    },
  });
  const begin = () => {
    if (work.isPending) return;
    if (question) setAsking(true);
    else work.mutate();
  };
  return (
    <>
      {/* While it is busy it keeps the focus, which a disabled button would lose. */}
      <button
        type="button"
        className={`button ${tone ?? ""}`}
        aria-label={name}
        aria-busy={work.isPending}
        aria-disabled={work.isPending}
        disabled={disabled}
        onClick={begin}
      >
        {icon && <Icon name={work.isPending ? "busy" : icon} />}
        {label}
      </button>
      {work.isError && (
        <p className="refused" role="alert">
          {work.error.message} {hintOf(work.error)}
        </p>
      )}
      {question && <Confirm question={question} open={asking} setOpen={setAsking} agreed={() => work.mutate()} />}
    </>
  );
}

/** Whoever goes by keyboard goes on at the heading when the element they were at is no more. */
function keepFocus(): void {
  if (document.activeElement === null || document.activeElement === document.body) {
    document.querySelector<HTMLElement>("h1")?.focus();
  }
}
