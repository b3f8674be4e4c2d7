import { RpcTarget } from "capnweb";
import { AbsentBackup, AbsentGit, AbsentInterpreter, AbsentTunnels } from "./absent.ts";
import { Commands } from "./commands.ts";
import { Files } from "./files.ts";
import { Ports } from "./ports.ts";
import { Processes } from "./processes.ts";
import type { ProcessTable } from "./process-table.ts";
import { Sessions } from "./sessions.ts";
import { Utils } from "./utils.ts";
import { Watch } from "./watch.ts";

/** What the SDK calls: one getter per rpc group. Getters, because capnweb exposes no own properties. */
export class SandboxApi extends RpcTarget {
  readonly #commands: Commands;
  readonly #files: Files;
  readonly #processes: Processes;
  readonly #ports: Ports;
  readonly #watch: Watch;
  readonly #utils: Utils;
  readonly #git = new AbsentGit();
  readonly #interpreter = new AbsentInterpreter();
  readonly #backup = new AbsentBackup();
  readonly #tunnels = new AbsentTunnels();

  constructor(table: ProcessTable) {
    super();
    const sessions = new Sessions();
    this.#commands = new Commands(sessions, table);
    this.#files = new Files(sessions);
    this.#processes = new Processes(sessions, table);
    this.#ports = new Ports(table);
    this.#watch = new Watch(sessions);
    this.#utils = new Utils(sessions);
  }

  get commands() {
    return this.#commands;
  }
  get files() {
    return this.#files;
  }
  get processes() {
    return this.#processes;
  }
  get ports() {
    return this.#ports;
  }
  get watch() {
    return this.#watch;
  }
  get utils() {
    return this.#utils;
  }
  get git() {
    return this.#git;
  }
  get interpreter() {
    return this.#interpreter;
  }
  get backup() {
    return this.#backup;
  }
  get tunnels() {
    return this.#tunnels;
  }
}
