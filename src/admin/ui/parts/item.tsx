import type { ReactNode } from "react";

/** Things that can each be acted on, one below the other. */
export function Items({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ul className="items" aria-label={label}>
      {children}
    </ul>
  );
}

interface ItemProps {
  title: ReactNode;
  /** A word or two about its state. */
  badge?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}

export function Item({ title, badge, children, actions }: ItemProps) {
  return (
    <li className="item">
      <div className="item-text">
        <div className="row">
          <p className="item-title">{title}</p>
          {badge}
        </div>
        {children}
      </div>
      {actions && <div className="row item-actions">{actions}</div>}
    </li>
  );
}

export function Badge({ tone = "", children }: { tone?: "good" | "near" | "bad" | ""; children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

/** Small facts in a line, with a dot between. */
export function Line({ children }: { children: ReactNode }) {
  return <p className="line dim">{children}</p>;
}
