/** Numbers between 0 and 1 from a seed, the same each time: a run that fails can be had again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(random: () => number, from: readonly [T, ...T[]]): T {
  return from[Math.floor(random() * from.length)] ?? from[0];
}

/** What a shell would run, each leaving `mark` behind. */
export function commands(mark: string): [string, ...string[]] {
  return [
    `$(touch ${mark})`,
    `\`touch ${mark}\``,
    `'; touch ${mark}; '`,
    `"; touch ${mark}; "`,
    `x; touch ${mark} #`,
    `x && touch ${mark}`,
    `x | touch ${mark}`,
    `x\ntouch ${mark}\n`,
    `x\r\ntouch ${mark}\r\n`,
    `x\0; touch ${mark}`,
    `\${IFS}touch\${IFS}${mark}`,
    `-exec touch ${mark} ;`,
    `<(touch ${mark})`,
    `x' || touch ${mark} || '`,
  ];
}

const TEXTS: [string, ...string[]] = [
  "",
  " ",
  "\0",
  "a\0b",
  "\u202ereversed",
  "ｆｕｌｌｗｉｄｔｈ",
  "e\u0301",
  "\ud800",
  "🦞".repeat(50),
  "../../etc/passwd",
  "..%2f..%2fetc%2fpasswd",
  "%00",
  "%ff%fe",
  "/etc/passwd",
  "C:\\windows",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "undefined",
  "NaN",
  "1e309",
  "-1",
  "00000000",
  "99999999",
  "' OR 1=1 --",
  "'; DROP TABLE generations; --",
  "<script>alert(1)</script>",
  "{{7*7}}",
  "${jndi:ldap://127.0.0.1/x}",
  "x".repeat(300),
  "x".repeat(3_000),
  "%".repeat(100),
  "*",
  "?",
  "files/",
  "a/../b",
];

const VALUES: [unknown, ...unknown[]] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  [],
  [[]],
  {},
  { $gt: "" },
  { toString: "x" },
  ["a", "b"],
  { __proto__: { admin: true } },
];

/** One thing that nobody who means well sends. `kept`: ids that are in use, from which near misses are made. */
export function hostile(random: () => number, mark: string, kept: readonly string[]): unknown {
  const kind = random();
  if (kind < 0.4) return pick(random, commands(mark));
  if (kind < 0.7) return pick(random, TEXTS);
  if (kind < 0.85) return pick(random, VALUES);
  const [first = "x", ...rest] = kept;
  const id = pick(random, [first, ...rest]);
  return pick(random, [
    `${id}\n`,
    ` ${id}`,
    `${id}\0`,
    `${id}'`,
    `${id}%00`,
    id.slice(0, -1),
    `${id}${id}`,
    `../${id}`,
    [id],
    { id },
    `${id}$(touch ${mark})`,
  ]);
}
