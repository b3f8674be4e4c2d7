import { Meter } from "@base-ui/react/meter";
import type { ReactNode } from "react";

/** One figure, and what belongs to it. */
export function Tile({ title, value, children }: { title: string; value: string; children: ReactNode }) {
  return (
    <section className="tile" aria-label={title}>
      <h2>{title}</h2>
      <p className="figure">{value}</p>
      <div className="facts">{children}</div>
    </section>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <p className="fact">
      <span className="dim">{name}</span> <span>{children}</span>
    </p>
  );
}

const NEAR = 0.8;

/** How much of what is allowed is used up. */
export function Gauge(props: { label: string; value: number; most: number; format: (value: number) => string }) {
  const { label, value, most, format } = props;
  const share = most > 0 ? value / most : 1;
  const tone = share >= 1 ? "bad" : share >= NEAR ? "near" : "";
  return (
    <Meter.Root className={`gauge ${tone}`} value={Math.min(value, most)} max={most} aria-label={label}>
      <Meter.Label className="dim">{label}</Meter.Label>
      <span>
        {format(value)} of {format(most)}
      </span>
      <Meter.Track className="gauge-track">
        <Meter.Indicator className="gauge-fill" />
      </Meter.Track>
    </Meter.Root>
  );
}
