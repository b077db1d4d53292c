/** When JupyterLab is loaded: in the first pause of what the student types; pure. */

/** Milliseconds after the shell has shown something, in which nobody types. */
export const AFTER_SHELL_MS = 500;
/** Milliseconds after a key, in which no other one follows. */
export const AFTER_KEY_MS = 600;
/** Milliseconds after which it is loaded, though the student types on. */
export const AT_LATEST_MS = 4_000;
/** Milliseconds after which it is loaded, though the shell has shown nothing. */
export const WITHOUT_SHELL_MS = 700;

/** What is told to who waits for a pause. */
export interface PauseWatch {
  /** The shell has shown something. */
  readonly onShell: () => void;
  /** The student has typed something. */
  readonly onKey: () => void;
}

/**
 * Load JupyterLab in the first pause of the typing.
 *
 * It keeps the page busy for seconds, in which a key waits for its letter.
 *
 * @param fetch - Is called when the shell has shown something, before `start`, or never.
 * @param start - Is called once.
 */
export function atPause(fetch: () => void, start: () => void): PauseWatch {
  let timer = 0;
  let hasShell = false;
  let isOver = false;
  const go = (): void => {
    if (!isOver) {
      isOver = true;
      window.clearTimeout(timer);
      window.clearTimeout(latest);
      start();
    }
  };
  const wait = (ms: number): void => {
    window.clearTimeout(timer);
    if (!isOver) {
      timer = window.setTimeout(go, ms);
    }
  };
  const latest = window.setTimeout(go, AT_LATEST_MS);
  wait(WITHOUT_SHELL_MS);
  return {
    onShell: () => {
      if (!hasShell && !isOver) {
        hasShell = true;
        fetch();
        wait(AFTER_SHELL_MS);
      }
    },
    onKey: () => {
      wait(AFTER_KEY_MS);
    },
  };
}
