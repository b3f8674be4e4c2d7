import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { aside, command, showSignIn } from "./command.ts";
import { connect } from "./connect.ts";
import { readChatInput } from "./message-input.ts";
import { failureOf, type Picture, talk } from "./talk.ts";
import { findTarget } from "./target.ts";
import { transcript } from "./transcript.ts";

/** `npm run chat -- "hello"`: says it to the Moltbot and prints the answer as it grows. */
command(async () => {
  const { message, url, json, state } = await readChatInput(process.argv.slice(2), process.stdin);
  const connection = await connect(findTarget(url, state), state, showSignIn);
  try {
    const shown = transcript(json ? () => {} : (text) => process.stdout.write(text), json ? () => {} : aside);
    const { run, pictures } = await talk(connection.client, message, shown);
    const files = await savePictures(join(state, "client", "pictures"), run.run_id, pictures);
    if (json) process.stdout.write(`${JSON.stringify({ ...run, pictures: files })}\n`);
    else {
      shown.end(run);
      for (const file of files) aside(`⚙ picture: ${file}`);
    }
    const failure = failureOf(run);
    if (failure) throw failure;
  } finally {
    await connection.close();
  }
});

/** A terminal shows no pictures: they become files. */
async function savePictures(folder: string, runId: string, pictures: Picture[]): Promise<string[]> {
  if (pictures.length === 0) return [];
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files: string[] = [];
  for (const [index, { mimeType, data }] of pictures.entries()) {
    const ending = /^image\/([a-z0-9]+)/.exec(mimeType)?.[1] ?? "bin";
    const file = join(folder, `${runId.replace(/[^\w-]/g, "_")}-${index + 1}.${ending}`);
    await writeFile(file, Buffer.from(data, "base64"), { mode: 0o600 });
    files.push(file);
  }
  return files;
}
