/** One press of Check, until the server has it: sent again, with the same key, after a broken line. */
import { Unreachable, type LessonApi } from './request';
import type { Attempt } from './wire';

/** What whoever sends is told meanwhile. */
export interface SendingOptions {
  readonly api: Pick<LessonApi, 'submitAttempt'>;
  /** 32 hex digits, by which the server knows a second asking for the first. */
  readonly key: string;
  /** Is told when a request begins, and when none can be made for now. */
  readonly onPhase: (phase: 'sending' | 'offline') => void;
  /** Is told why none can be made. */
  readonly onUnreachable: (error: Unreachable) => void;
}

/** What the server said first; `isJoined`: it ran already, before this was asked for. */
export interface Sent {
  readonly attempt: Attempt;
  readonly isJoined: boolean;
}

/** Sends one wish for a check. */
export class Sending {
  constructor(private readonly options: SendingOptions) {}

  /** Somebody does not want the check any more. */
  get isCancelled(): boolean {
    return this._isCancelled;
  }

  /** It is not sent yet and waits for the connection. */
  get isWaiting(): boolean {
    return this._isWaiting;
  }

  /** Send no more; what is under way may still arrive. */
  cancel(): void {
    this._isCancelled = true;
    this._wake();
  }

  /** Try again now, where it waits. */
  wake(): void {
    this._wake();
  }

  /**
   * Send until the server has it; gives null where it was cancelled before.
   *
   * @throws Error - The server understood and refused.
   */
  async send(step: string): Promise<Sent | null> {
    const { api, key, onPhase, onUnreachable } = this.options;
    for (let isFirst = true; !this._isCancelled; isFirst = false) {
      onPhase('sending');
      try {
        const attempt = await api.submitAttempt(step, key);
        return { attempt, isJoined: isFirst && attempt.state === 'running' };
      } catch (error) {
        if (!(error instanceof Unreachable)) {
          throw error;
        }
        const woken = new Promise<void>((resolve) => {
          this._wake = resolve;
        });
        this._isWaiting = true;
        onUnreachable(error);
        onPhase('offline');
        await woken;
        this._isWaiting = false;
      }
    }
    return null;
  }

  private _isCancelled = false;
  private _isWaiting = false;
  private _wake: () => void = () => undefined;
}
