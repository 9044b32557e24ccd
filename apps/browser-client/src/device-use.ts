import { computed, signal } from "@preact/signals";
import type { Pace } from "./training/pace.ts";

/** The part of the Battery Status API that this page uses; not every browser has it. */
interface Battery extends EventTarget {
  readonly charging: boolean;
}
interface WithBattery {
  getBattery?(): Promise<Battery>;
}

/** What kind of help a browser gives a page that works while nobody looks at it. */
export interface Background {
  /** Phones stop pages that are not in front. */
  readonly phone: boolean;
  /** A page that holds a lock is not put to sleep. */
  readonly locks: boolean;
  readonly wakeLock: boolean;
}

/** How much of this device the person gives, and what makes it pause. */
export class DeviceUse {
  /** In percent of the time. */
  readonly share = signal(100);
  readonly pausedByHand = signal(false);
  readonly pauseOnBattery = signal(true);
  readonly keepScreenOn = signal(false);
  /** Whether it runs on its battery; `undefined` where the browser does not say. */
  readonly onBattery = signal<boolean | undefined>(undefined);
  readonly hidden = signal(document.hidden);
  /** Why it trains nothing just now. */
  readonly paused = computed<"hand" | "battery" | undefined>(() => {
    if (this.pausedByHand.value) return "hand";
    return this.pauseOnBattery.value && this.onBattery.value === true ? "battery" : undefined;
  });
  readonly pace = computed<Pace>(() => ({ share: this.share.value / 100, paused: this.paused.value !== undefined }));
  readonly background: Background = {
    phone: matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches,
    locks: "locks" in navigator,
    wakeLock: "wakeLock" in navigator,
  };
  #screen: WakeLockSentinel | undefined;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      this.hidden.value = document.hidden;
      // A browser takes the lock back whenever the page is hidden.
      if (!document.hidden && this.#screen !== undefined) void this.#lockScreen();
    });
    void this.#watchBattery();
  }

  /** Keeps the screen on, or no longer, while this device takes part. */
  async keepAwake(wanted: boolean): Promise<void> {
    if (wanted === (this.#screen !== undefined)) return;
    if (wanted) return this.#lockScreen();
    await this.#screen?.release();
    this.#screen = undefined;
  }

  async #lockScreen(): Promise<void> {
    // Refused where the battery is low or the page is hidden: then the screen goes off as it would have.
    this.#screen = await navigator.wakeLock.request("screen").catch(() => undefined);
  }

  async #watchBattery(): Promise<void> {
    const battery = await (navigator as WithBattery).getBattery?.().catch(() => undefined);
    if (battery === undefined) return;
    const look = () => {
      this.onBattery.value = !battery.charging;
    };
    battery.addEventListener("chargingchange", look);
    look();
  }
}
