import { readFile } from "node:fs/promises";
import { type AnswerStore, readAnswers, type WrittenAnswers, writeAnswers } from "@tributary/participant";
import { ProtocolError, parse, type RunId } from "@tributary/protocol";
import Type, { type Static } from "typebox";
import { replaceFile } from "./replace-file.ts";

/** What each device revealed in the secure sums of each run, by coordinator and device name. */
const AnswersFile = Type.Record(
  Type.String(),
  Type.Record(
    Type.String(),
    Type.Record(
      Type.String(),
      Type.Object({ revealed: Type.Array(Type.String()), last: Type.Optional(Type.String()) }),
    ),
  ),
);
type AnswersFile = Static<typeof AnswersFile>;

interface Change {
  readonly coordinator: string;
  readonly device: string;
  readonly run: RunId;
  readonly written: WrittenAnswers;
}

/**
 * One file (mode 0600, for it holds shares of other devices' secrets) with what all devices of a process revealed. A
 * device that forgot it could be made to reveal one model version twice, and so its update: do not lose it before the
 * identities are lost too.
 */
export class AnswersOnDisk {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();
  #pending: Change[] = [];
  #next: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** What one device keeps for one coordinator. `load` throws `bad_data` for a file that is not its own. */
  storeFor(coordinator: string, device: string): AnswerStore {
    return {
      load: (run) => this.#inTurn(async () => readAnswers((await this.#read())[coordinator]?.[device]?.[run])),
      save: (run, kept) => this.#commit({ coordinator, device, run, written: writeAnswers(kept) }),
    };
  }

  /** Changes that come while another is written are written together: devices of one process reveal at one moment. */
  #commit(change: Change): Promise<void> {
    this.#pending.push(change);
    this.#next ??= this.#inTurn(() => this.#writePending());
    return this.#next;
  }

  async #writePending(): Promise<void> {
    const changes = this.#pending;
    this.#pending = [];
    this.#next = undefined;
    let all = await this.#read();
    for (const { coordinator, device, run, written } of changes) {
      const { revealed, last } = written;
      const devices = all[coordinator] ?? {};
      const kept = { revealed: [...revealed], ...(last === undefined ? {} : { last }) };
      all = { ...all, [coordinator]: { ...devices, [device]: { ...devices[device], [run]: kept } } };
    }
    await this.#write(all);
  }

  #inTurn<Value>(action: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #read(): Promise<AnswersFile> {
    const text = await readFile(this.#path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "{}";
      throw error;
    });
    try {
      return parse(AnswersFile, JSON.parse(text), { what: this.#path, code: "bad_data" });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const detail = `${this.#path}: expected the JSON that says what these devices revealed; enrol anew to go on without`;
      throw new ProtocolError("bad_data", detail, { cause: error });
    }
  }

  #write(all: AnswersFile): Promise<void> {
    return replaceFile(this.#path, `${JSON.stringify(all)}\n`);
  }
}
