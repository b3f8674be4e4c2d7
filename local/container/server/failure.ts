/** The part of the SDK's error table that this server uses. The SDK turns `code` into its typed errors. */
export type ErrorCode =
  | "FILE_NOT_FOUND"
  | "PERMISSION_DENIED"
  | "FILE_EXISTS"
  | "IS_DIRECTORY"
  | "NOT_DIRECTORY"
  | "FILE_TOO_LARGE"
  | "NO_SPACE"
  | "TOO_MANY_FILES"
  | "RESOURCE_BUSY"
  | "READ_ONLY"
  | "NAME_TOO_LONG"
  | "TOO_MANY_LINKS"
  | "FILESYSTEM_ERROR"
  | "COMMAND_NOT_FOUND"
  | "INVALID_COMMAND"
  | "COMMAND_EXECUTION_ERROR"
  | "STREAM_START_ERROR"
  | "PROCESS_NOT_FOUND"
  | "SESSION_ALREADY_EXISTS"
  | "SESSION_DESTROYED"
  | "INVALID_PORT"
  | "GIT_OPERATION_FAILED"
  | "INTERPRETER_NOT_READY"
  | "BACKUP_CREATE_FAILED"
  | "BACKUP_RESTORE_FAILED"
  | "VALIDATION_FAILED"
  | "INTERNAL_ERROR";

/** An error as the SDK expects it over capnweb: own properties `code` and `details` beside the message. */
export function failure(code: ErrorCode, message: string, details: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(message), { code, details });
}

const CODE_OF_ERRNO: Record<string, ErrorCode> = {
  ENOENT: "FILE_NOT_FOUND",
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  EEXIST: "FILE_EXISTS",
  ENOTEMPTY: "FILE_EXISTS",
  EISDIR: "IS_DIRECTORY",
  ENOTDIR: "NOT_DIRECTORY",
  EFBIG: "FILE_TOO_LARGE",
  ENOSPC: "NO_SPACE",
  EDQUOT: "NO_SPACE",
  EMFILE: "TOO_MANY_FILES",
  ENFILE: "TOO_MANY_FILES",
  EBUSY: "RESOURCE_BUSY",
  ETXTBSY: "RESOURCE_BUSY",
  EROFS: "READ_ONLY",
  ENAMETOOLONG: "NAME_TOO_LONG",
  ELOOP: "TOO_MANY_LINKS",
  EMLINK: "TOO_MANY_LINKS",
};

export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A file system error with the SDK's code for its errno. Errors that have a code of the SDK already pass through. */
export function fileFailure(error: unknown, path: string, operation: string): Error {
  const errno = errnoOf(error);
  if (error instanceof Error && errno !== undefined && "details" in error) return error;
  const code = (errno === undefined ? undefined : CODE_OF_ERRNO[errno]) ?? "FILESYSTEM_ERROR";
  return failure(code, `${operation} '${path}': ${messageOf(error)}`, { path, operation });
}
