import { useQuery } from "@tanstack/react-query";
import { type Job, jobs, pauseJob, removeJob, resumeJob, runJob } from "../api/jobs.ts";
import { Action } from "../parts/action.tsx";
import { WhileReady } from "../parts/awake.tsx";
import { Badge, Item, Items, Line } from "../parts/item.tsx";
import { Moment } from "../parts/moment.tsx";
import { Shown } from "../parts/shown.tsx";

const TOUCHES = [jobs.queryKey];

/** What the bot does by the clock. */
export function Jobs() {
  return (
    <WhileReady what="Its jobs">
      <List />
    </WhileReady>
  );
}

function List() {
  const query = useQuery(jobs);
  return (
    <Shown
      query={query}
      empty={{
        when: (shown) => shown.jobs.length === 0,
        say: "There are no jobs. Ask the Moltbot in a chat to do something at a time, or every so often.",
      }}
    >
      {(shown) => (
        <Items label="Jobs">
          {shown.jobs.map((job) => (
            <OneJob key={job.id} job={job} />
          ))}
        </Items>
      )}
    </Shown>
  );
}

function OneJob({ job }: { job: Job }) {
  const { id, name, schedule, enabled, running, nextRunAt, lastRunAt, lastStatus, lastError } = job;
  return (
    <Item
      title={name}
      badge={running ? <Badge tone="near">Running</Badge> : enabled ? undefined : <Badge>Paused</Badge>}
      actions={
        <>
          {enabled && (
            <Action
              label="Run now"
              name={`Run ${name} now`}
              icon="start"
              disabled={running}
              run={() => runJob(id)}
              done={`${name} runs in a moment.`}
              touches={TOUCHES}
            />
          )}
          <Action
            label={enabled ? "Pause" : "Resume"}
            name={`${enabled ? "Pause" : "Resume"} ${name}`}
            icon={enabled ? "pause" : "restart"}
            run={() => (enabled ? pauseJob(id) : resumeJob(id))}
            done={enabled ? `${name} is paused.` : `${name} goes on.`}
            touches={TOUCHES}
          />
          <Action
            label="Remove"
            name={`Remove ${name}`}
            icon="remove"
            tone="danger"
            question={{
              title: `Remove ${name}?`,
              text: "It does not run again, and cannot be put back.",
              verb: "Remove",
            }}
            run={() => removeJob(id)}
            done={`${name} is removed.`}
            touches={TOUCHES}
          />
        </>
      }
    >
      <Line>
        <span>{schedule}</span>
        {nextRunAt && (
          <span>
            next <Moment at={nextRunAt} />
          </span>
        )}
        {lastRunAt && (
          <span>
            last <Moment at={lastRunAt} />
            {lastStatus !== undefined && lastStatus !== "ok" && `, ${lastStatus}`}
          </span>
        )}
      </Line>
      {lastError !== undefined && <p className="refused">{lastError}</p>}
    </Item>
  );
}
