/** Why an engine cannot run here, and what would change that. */
export class EngineMissing extends Error {
  /** The command that would add it, or undefined where no command can. */
  readonly command: string | undefined;

  constructor(why: string, command?: string, options?: ErrorOptions) {
    super(why, options);
    this.name = "EngineMissing";
    this.command = command;
  }
}
