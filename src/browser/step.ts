/** What can be done to an element, in the words of `browser_act`. */
export const ACTIONS = [
  "click",
  "double_click",
  "right_click",
  "hover",
  "fill",
  "type",
  "press",
  "select",
  "check",
  "uncheck",
  "scroll",
  "drag",
] as const;

export type Action = (typeof ACTIONS)[number];

export interface Step {
  do: Action;
  /** The element; without it `press`, `type` and `scroll` are for the page. */
  ref?: string | undefined;
  value?: string | readonly string[] | undefined;
  /** Where `drag` ends. */
  to?: string | undefined;
}
