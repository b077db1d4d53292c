/**
 * What the page's first view and JupyterLab's plugin say to each other.
 *
 * The first view (`early/`) is a script of its own, which runs before JupyterLab's: a terminal that
 * is there at once. The plugin takes its place when JupyterLab has a terminal of the same shell.
 */

/** The terminal that stands in the page before JupyterLab does. */
export interface EarlyView {
  /** Name of the terminal at the server. */
  readonly terminal: string;
  /** Whether the student has clicked or typed in it. */
  readonly isUsed: boolean;
  /** Show what JupyterLab has drawn around the terminal. */
  readonly uncover: () => void;
  /** Let JupyterLab have the keyboard; until then it comes back to this terminal. */
  readonly release: () => void;
  /** Go away; what the shell said is in JupyterLab's terminal too. */
  readonly leave: () => void;
}

/** Where a terminal stood in the page, and how it looked; sizes in pixels of the page. */
export interface TerminalPlace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly background: string;
  readonly foreground: string;
}

/** The connection to that terminal, which the page opens before any script is there. */
export interface EarlySocket {
  readonly socket: WebSocket;
  /** Messages that have come, as they came. */
  readonly said: unknown[];
}

declare global {
  interface Window {
    /** Not there on the page of a phone, where the lesson comes first. */
    hexhubSocket?: EarlySocket;
    hexhubEarly?: EarlyView;
    /** Loads JupyterLab, once; made by the page. */
    hexhubStartLab?: () => void;
    /** Fetches its first script, so that it is there when JupyterLab is loaded; made by the page. */
    hexhubFetchLab?: () => void;
  }
}

/** Give the key of the browser's storage under which a machine's terminal place is kept. */
export function placeKey(baseUrl: string): string {
  return `hexhub-terminal:${baseUrl}`;
}

/** Key of the browser's storage under which the theme that the student has chosen is kept. */
export const CHOSEN_THEME = 'hexhub-theme';

/** A theme of JupyterLab. */
export interface ChosenTheme {
  readonly theme: string;
  readonly isLight: boolean;
}

/** Give the theme that was chosen last in this browser, or null where none was. */
export function readChosenTheme(): ChosenTheme | null {
  try {
    const kept: unknown = JSON.parse(window.localStorage.getItem(CHOSEN_THEME) ?? 'null');
    const { theme, isLight } = kept as Record<keyof ChosenTheme, unknown>;
    return typeof theme === 'string' && typeof isLight === 'boolean' ? { theme, isLight } : null;
  } catch {
    return null; // storage is refused, or holds something else
  }
}
