// What is used of Node in workerd (nodejs_compat). Node's own types would replace the Worker's globals everywhere.
declare module "node:crypto" {
  interface Digest extends Uint8Array {
    readUInt32BE(offset: number): number;
  }
  interface Hash {
    update(content: Uint8Array | string): Hash;
    digest(): Digest;
    digest(encoding: "hex"): string;
  }
  export function createHash(algorithm: "sha256"): Hash;
}
declare module "node:zlib" {
  export function deflateRawSync(content: Uint8Array, options: { level: number }): Uint8Array;
  export function inflateRawSync(content: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}
