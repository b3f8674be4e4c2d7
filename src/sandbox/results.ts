/** One shell command's outcome as the container reports it. */
export interface ShellResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface DirectoryEntry {
  path: string;
  type: "file" | "directory" | "symlink" | "other";
  size: number;
  /** ISO 8601. */
  modified: string;
}
