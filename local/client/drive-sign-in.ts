import { Failure } from "../../src/core/failure.ts";
import { type Browser, headlessBrowser, isLoopback } from "./browser.ts";
import { type Form, messageOf, readForm } from "./form.ts";

export interface Answers {
  /** Typed into a password field, but only of a page on this machine. */
  password: string;
  /** Whose it is; left out, whom the page proposes. */
  email?: string;
  /** The permissions to tick on the consent page; left out, the page's own choice stays. */
  scopes?: readonly string[];
  decision: "approve" | "deny";
}

/** Redirects and forms of one sign-in; there are about ten. */
const MOST_STEPS = 30;

/**
 * Goes through consent and sign-in as a person with a browser would, until it is sent to `end`, which it
 * visits too. It knows no address and no order of the pages, only what their forms ask for.
 */
export async function driveSignIn(
  start: string,
  end: string,
  answers: Answers,
  browser: Browser = headlessBrowser(),
): Promise<void> {
  let url = start;
  let response = await browser.visit(url);
  let typed = false;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const location = response.headers.get("location");
    if (location !== null && response.status >= 300 && response.status < 400) {
      url = new URL(location, url).toString();
      response = await browser.visit(url);
      if (url.startsWith(end)) return;
      continue;
    }
    const html = await response.text();
    const form = readForm(html, url);
    const said = messageOf(html) ?? `status ${response.status}`;
    if (form === undefined || form.method !== "POST") throw stopped(url, said);
    if (asksPassword(form)) {
      if (typed) throw new Failure("unauthorized", `The sign-in page did not take the password: ${said}`);
      if (!isLoopback(new URL(form.action).hostname)) {
        throw stopped(url, "it asks for a password and is not on this machine");
      }
      typed = true;
    }
    response = await submit(browser, url, form, answers);
    url = form.action;
  }
  throw stopped(url, "it never ended");
}

function submit(browser: Browser, page: string, form: Form, answers: Answers): Promise<Response> {
  const body = new URLSearchParams();
  for (const field of form.fields) {
    if (field.type === "password") body.append(field.name, answers.password);
    else if (field.type === "email") body.append(field.name, answers.email ?? field.value);
    else if (field.type !== "checkbox" && field.type !== "radio") body.append(field.name, field.value);
    else if (isTicked(field, answers)) body.append(field.name, field.value);
  }
  const button = form.buttons.find(({ value }) => value === answers.decision) ?? form.buttons[0];
  if (button !== undefined && button.name !== "") body.append(button.name, button.value);
  return browser.visit(form.action, { method: "POST", body, headers: { origin: new URL(page).origin } });
}

function isTicked(field: Form["fields"][number], { scopes }: Answers): boolean {
  if (field.name !== "scope" || scopes === undefined) return field.checked;
  return scopes.includes(field.value);
}

function asksPassword(form: Form): boolean {
  return form.fields.some(({ type }) => type === "password");
}

function stopped(url: string, why: string): Failure {
  const { host } = new URL(url);
  return new Failure("unauthorized", `The sign-in stopped at ${host}: ${why}`);
}
