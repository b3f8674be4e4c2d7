import { RpcTarget } from "capnweb";
import { failure, type ErrorCode } from "./failure.ts";

function absent(code: ErrorCode, what: string, instead: string): never {
  const reason = `${what} is not part of the container on one machine. ${instead}`;
  throw failure(code, reason, { reason });
}

/** rpc group `git`. */
export class AbsentGit extends RpcTarget {
  checkout(): never {
    absent("GIT_OPERATION_FAILED", "gitCheckout()", "Use exec('git clone …').");
  }
}

const INTERPRETER = [
  "INTERPRETER_NOT_READY",
  "The code interpreter",
  "Use exec('node …') or exec('python3 …').",
] as const;

/** rpc group `interpreter`. */
export class AbsentInterpreter extends RpcTarget {
  createCodeContext(): never {
    absent(...INTERPRETER);
  }
  streamCode(): never {
    absent(...INTERPRETER);
  }
  runCodeStream(): never {
    absent(...INTERPRETER);
  }
  listCodeContexts(): never {
    absent(...INTERPRETER);
  }
  deleteCodeContext(): never {
    absent(...INTERPRETER);
  }
}

const ARCHIVES = [
  "Archiving to squashfs",
  "Home and workspace are plain directories that outlive the container.",
] as const;

/** rpc group `backup`. */
export class AbsentBackup extends RpcTarget {
  createArchive(): never {
    absent("BACKUP_CREATE_FAILED", ...ARCHIVES);
  }
  restoreArchive(): never {
    absent("BACKUP_RESTORE_FAILED", ...ARCHIVES);
  }
  uploadParts(): never {
    absent("BACKUP_CREATE_FAILED", ...ARCHIVES);
  }
}

const TUNNELS = [
  "INTERNAL_ERROR",
  "A cloudflared tunnel",
  "The Worker reaches every port of the container already.",
] as const;

/** rpc group `tunnels`. */
export class AbsentTunnels extends RpcTarget {
  runQuickTunnel(): never {
    absent(...TUNNELS);
  }
  runNamedTunnel(): never {
    absent(...TUNNELS);
  }
  ensureTunnelRun(): never {
    absent(...TUNNELS);
  }
  stopTunnelRun(): never {
    absent(...TUNNELS);
  }
  destroyTunnel(): never {
    absent(...TUNNELS);
  }
  listTunnels(): never {
    absent(...TUNNELS);
  }
}
