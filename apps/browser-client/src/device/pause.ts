import { type Clock, type Participant, systemClock } from "@tributary/participant";

/** A pause as short as this costs the round less than a device that drops out of it. */
const shortMs = 2_000;

/**
 * A person's pauses, as the participant hears of them. The training worker begins no batch from the first moment on; the
 * participant withdraws from its run if the pause lasts, and at once if it has not joined yet.
 */
export class Pause {
  readonly #clock: Clock;
  #isPaused = false;
  #participant: Pick<Participant, "pause" | "resume"> | undefined;
  #callOff: () => void = () => undefined;

  constructor(clock = systemClock) {
    this.#clock = clock;
  }

  /** The participant to pause, before it has connected. */
  attach(participant: Pick<Participant, "pause" | "resume">): void {
    this.#participant = participant;
    if (this.#isPaused) participant.pause();
  }

  set(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#callOff();
    if (isPaused) this.#callOff = this.#clock.setTimeout(() => this.#participant?.pause(), shortMs);
    else this.#participant?.resume();
  }
}
