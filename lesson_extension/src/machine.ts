/**
 * The student's machine as the panel knows it: what it has left, and how to begin again in it.
 * Draws nothing.
 */
import { Signal, type ISignal } from '@lumino/signaling';

import { Refused, type MachineApi } from './request';
import type { MachineState } from './state';

/** Milliseconds between two looks while the tab is visible. */
export const LOOK_MS = 15_000;

/** What the model needs from outside. */
export interface MachineModelOptions {
  readonly api: MachineApi;
  /** Loads files anew that are open, since they have changed on the disk. */
  readonly reloadFiles: (paths: readonly string[]) => Promise<void>;
  /** Leaves for the page that shows the start of the machine. */
  readonly leave: () => void;
}

const UNKNOWN: MachineState = {
  idleStopAtMs: null,
  undoUntilMs: null,
  usedBytes: null,
  limitBytes: null,
  starter: null,
  restored: null,
  isBusy: false,
  problem: null,
};

/** The machine, live. */
export class MachineModel {
  constructor(private readonly options: MachineModelOptions) {}

  /** Emitted after every change of {@link state}. */
  get changed(): ISignal<this, MachineState> {
    return this._changed;
  }

  /** What is known now. */
  get state(): MachineState {
    return this._state;
  }

  /** Look now, and every few seconds from then on. */
  start(): void {
    void this._look();
    this._timer = setInterval(() => {
      if (this._isVisible) {
        void this._look();
      }
    }, LOOK_MS);
  }

  /** Stop looking. */
  dispose(): void {
    clearInterval(this._timer);
    Signal.clearData(this);
  }

  /** Say whether anybody can see what is told of the machine. */
  setVisible(isVisible: boolean): void {
    this._isVisible = isVisible;
  }

  /** Ask which files a new machine has. */
  loadStarter(): Promise<void> {
    return this._do(async ({ api }) => ({ starter: await api.starter() }));
  }

  /** Put one file back as a new machine has it; the student's own is kept once. */
  restoreFile(path: string): Promise<void> {
    return this._restore((api) => api.restoreFile(path));
  }

  /** Put the files of one step back. */
  restoreStep(step: string): Promise<void> {
    return this._restore((api) => api.restoreStep(step));
  }

  /** Take back what was put back last. */
  undoRestore(): Promise<void> {
    return this._do(async ({ api, reloadFiles }) => {
      await reloadFiles(await api.undoRestore());
      return { restored: null };
    });
  }

  /** Put the whole machine aside and begin with a new one. */
  reset(): Promise<void> {
    return this._do(async ({ api, leave }) => {
      await api.resetMachine();
      leave();
      return {};
    });
  }

  /** Take the machine back that was put aside. */
  undoReset(): Promise<void> {
    return this._do(async ({ api, leave }) => {
      await api.undoReset();
      leave();
      return {};
    });
  }

  private _restore(ask: (api: MachineApi) => Promise<readonly string[]>): Promise<void> {
    return this._do(async ({ api, reloadFiles }) => {
      const restored = await ask(api);
      await reloadFiles(restored);
      return { restored };
    });
  }

  /** Do one thing at a time, and keep why it did not work. */
  private async _do(
    act: (options: MachineModelOptions) => Promise<Partial<MachineState>>,
  ): Promise<void> {
    if (this._state.isBusy) {
      return;
    }
    this._set({ isBusy: true, problem: null });
    try {
      this._set({ ...(await act(this.options)), isBusy: false });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this._set({ isBusy: false, problem: message });
    }
  }

  /** Look at what is left; what is not told (another kind of machine) stays unknown. */
  private async _look(): Promise<void> {
    const { api } = this.options;
    const [machine, memory] = await Promise.allSettled([api.machine(), api.memory()]);
    if (machine.status === 'fulfilled') {
      const { idle_stop_at: idle, undo_until: undo } = machine.value;
      this._set({
        idleStopAtMs: idle === null ? null : Date.parse(idle),
        undoUntilMs: undo === null ? null : Date.parse(undo),
      });
    }
    if (memory.status === 'fulfilled') {
      this._set({ usedBytes: memory.value.used_bytes, limitBytes: memory.value.limit_bytes });
    } else if (memory.reason instanceof Refused) {
      this._set({ usedBytes: null, limitBytes: null });
    }
  }

  private _set(change: Partial<MachineState>): void {
    this._state = Object.freeze({ ...this._state, ...change });
    this._changed.emit(this._state);
  }

  private _state: MachineState = UNKNOWN;
  private readonly _changed = new Signal<this, MachineState>(this);
  private _timer: ReturnType<typeof setInterval> | undefined;
  private _isVisible = true;
}
