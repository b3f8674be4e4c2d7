import { expect, test } from "vitest";
import { messageOf, readForm } from "../../local/client/form.ts";

const PAGE = "https://moltbot.example/authorize?client=1";

test("reads fields, ticks and buttons, and undoes the escaping", () => {
  const form = readForm(
    `<p>before</p><form method="post">
      <input type="hidden" name="handle" value="a&amp;b&#34;c&#x3c;">
      <input type=checkbox name=scope value='chat' checked><input type="checkbox" name="scope" value="exec">
      <input name="note" title="a > b"><button name="decision" value="approve">Allow</button><button type="button">No</button>
    </form>`,
    PAGE,
  );
  expect(form).toEqual({
    action: PAGE,
    method: "POST",
    fields: [
      { name: "handle", type: "hidden", value: 'a&b"c<', checked: false },
      { name: "scope", type: "checkbox", value: "chat", checked: true },
      { name: "scope", type: "checkbox", value: "exec", checked: false },
      { name: "note", type: "text", value: "", checked: false },
    ],
    buttons: [{ name: "decision", value: "approve" }],
  });
});

test("resolves the form's address against the page's", () => {
  expect(readForm('<form action="/in"><input name="a"></form>', PAGE)).toMatchObject({
    action: "https://moltbot.example/in",
    method: "GET",
  });
});

test("finds no form where there is none", () => {
  expect(readForm("<h1>Stopped</h1>", PAGE)).toBeUndefined();
});

test("quotes a page's alert before its headline", () => {
  expect(messageOf('<h1>Sign in</h1><p class="x" role="alert">That&#39;s <b>wrong</b>.</p>')).toBe("That's wrong.");
  expect(messageOf("<h1>Sign-in stopped</h1>")).toBe("Sign-in stopped");
  expect(messageOf("nothing")).toBeUndefined();
});
