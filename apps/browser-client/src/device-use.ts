import { batch, computed, signal } from "@preact/signals";
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

/** What a person may set: how much in percent of the time, and when not. */
export interface Terms {
  readonly share: number;
  readonly pausedByHand: boolean;
  readonly pauseOnBattery: boolean;
  readonly keepScreenOn: boolean;
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
  /** The screen's lock, held or being asked for; undefined inside where the browser refused it. */
  #screen: Promise<WakeLockSentinel | undefined> | undefined;

  /** What the person said, to be taken up again after a reload. */
  readonly terms = computed<Terms>(() => ({
    share: this.share.value,
    pausedByHand: this.pausedByHand.value,
    pauseOnBattery: this.pauseOnBattery.value,
    keepScreenOn: this.keepScreenOn.value,
  }));

  constructor() {
    document.addEventListener("visibilitychange", () => {
      this.hidden.value = document.hidden;
      // A browser takes the lock back whenever the page is hidden.
      if (!document.hidden && this.#screen !== undefined) this.#lockScreen();
    });
    void this.#watchBattery();
  }

  takeUp({ share, pausedByHand, pauseOnBattery, keepScreenOn }: Terms): void {
    batch(() => {
      this.share.value = share;
      this.pausedByHand.value = pausedByHand;
      this.pauseOnBattery.value = pauseOnBattery;
      this.keepScreenOn.value = keepScreenOn;
    });
  }

  /** Keeps the screen on, or no longer, while this device takes part. */
  keepAwake(wanted: boolean): void {
    if (wanted === (this.#screen !== undefined)) return;
    if (wanted) this.#lockScreen();
    else {
      void this.#screen?.then((lock) => lock?.release());
      this.#screen = undefined;
    }
  }

  #lockScreen(): void {
    // Refused where the battery is low or the page is hidden: then the screen goes off as it would have.
    this.#screen = navigator.wakeLock.request("screen").catch(() => undefined);
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
