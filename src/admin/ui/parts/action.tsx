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
    onError: (error) => toasts.add({ title: error.message, description: hintOf(error), type: "bad", timeout: 12_000 }),
    onSettled: () => Promise.all(touches.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  const begin = () => (question ? setAsking(true) : work.mutate());
  return (
    <>
      <button
        type="button"
        className={`button ${tone ?? ""}`}
        aria-label={name}
        aria-busy={work.isPending}
        disabled={disabled || work.isPending}
        onClick={begin}
      >
        {icon && <Icon name={work.isPending ? "busy" : icon} />}
        {label}
      </button>
      {question && <Confirm question={question} open={asking} setOpen={setAsking} agreed={() => work.mutate()} />}
    </>
  );
}
