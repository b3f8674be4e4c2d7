const MASK = "[redacted]";

/** Values known to be secret in this isolate; the configuration registers each one as it is read. */
const secrets = new Set<string>();

/** Shapes of credentials that may turn up in text we did not write: provider keys, bearer tokens, JWTs. */
const SHAPES = [
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\bBearer\s+[A-Za-z0-9._~+/=:-]{8,}/gi,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
];

/** From now on `value` never appears in redacted text. Shorter than 8 characters is ignored: it would blank ordinary words. */
export function keepSecret(value: string | undefined): void {
  if (value !== undefined && value.length >= 8) secrets.add(value);
}

/** All of them, for who passes on what others wrote. */
export function secretValues(): readonly string[] {
  return [...secrets];
}

export function redact(text: string): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, MASK);
  for (const shape of SHAPES) clean = clean.replace(shape, MASK);
  return clean;
}
