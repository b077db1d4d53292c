/** JupyterLab takes the place of the terminal that the page began with (`early/`). */
import type { JupyterFrontEnd, LabShell } from '@jupyterlab/application';
import type { MainAreaWidget } from '@jupyterlab/apputils';
import type { ITerminal, ITerminalTracker } from '@jupyterlab/terminal';

import { placeKey, type EarlyView, type TerminalPlace } from '../early/contract';

type TerminalWidget = MainAreaWidget<ITerminal.ITerminal>;

/** Milliseconds that JupyterLab's terminal has to draw what its shell has said. */
const DRAWING_MS = 2_000;
/** Milliseconds for the layout, from when JupyterLab is there: the hub may not answer. */
const LAYOUT_MS = 5_000;
/** Milliseconds that it has to take the keyboard. */
const FOCUS_MS = 500;

/** What is needed to take over. */
export interface TakeOverOptions {
  readonly app: JupyterFrontEnd;
  readonly shell: LabShell;
  readonly terminals: ITerminalTracker | null;
  /** Fulfilled when the page is laid out, as the lesson says or as the student left it. */
  readonly laidOut: Promise<unknown>;
  readonly baseUrl: string;
}

function frame(): Promise<unknown> {
  return new Promise(requestAnimationFrame);
}

/** Wait for something to be true, frame by frame. */
async function until(isSo: () => boolean, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!isSo() && performance.now() < deadlineMs) {
    await frame();
  }
}

/** Give the element that JupyterLab's terminal draws its text in. */
function bodyOf(widget: TerminalWidget): HTMLElement {
  return widget.content.node;
}

/** Give where a terminal stands and how it looks, or null where it is not seen. */
function placeOf(widget: TerminalWidget): TerminalPlace | null {
  const body = bodyOf(widget);
  const { left, top, width, height } = body.getBoundingClientRect();
  if (!widget.isVisible || width === 0 || height === 0) {
    return null;
  }
  const style = getComputedStyle(body);
  const page = getComputedStyle(document.body);
  const color = (name: string, other: string): string =>
    page.getPropertyValue(name).trim() || other;
  return {
    left,
    top,
    width,
    height,
    background: color('--jp-layout-color0', style.backgroundColor),
    foreground: color('--jp-ui-font-color0', style.color),
  };
}

/** Keep where the terminal stands, for the next time that this machine is opened here. */
function keepPlace(widget: TerminalWidget, baseUrl: string): void {
  const place = placeOf(widget);
  if (place === null) {
    return;
  }
  try {
    window.localStorage.setItem(placeKey(baseUrl), JSON.stringify(place));
  } catch {
    // Storage is full or refused: the next first view stands where a new one would.
  }
}

async function replace(view: EarlyView, widget: TerminalWidget, shell: LabShell): Promise<void> {
  const { session } = widget.content;
  await until(
    () =>
      session.connectionStatus === 'connected' && bodyOf(widget).querySelector('.xterm') !== null,
    DRAWING_MS,
  );
  // What the shell had said comes with the connection; it is drawn in the frame after.
  await frame();
  await frame();
  view.release();
  const next = view.isUsed ? widget : shell.currentWidget;
  if (next !== null) {
    shell.activateById(next.id);
    await until(() => next.node.contains(document.activeElement), FOCUS_MS);
  }
  view.leave();
}

/** Take the place of the first terminal, as soon as JupyterLab's terminal of that shell is drawn. */
export async function takeOver(options: TakeOverOptions): Promise<void> {
  const { app, shell, terminals, laidOut, baseUrl } = options;
  const view = window.hexhubEarly;
  const find = (): TerminalWidget | undefined =>
    terminals?.find(({ content }) => view === undefined || content.session.name === view.terminal);
  document.addEventListener('visibilitychange', () => {
    const widget = terminals?.find(({ isVisible }) => isVisible);
    if (document.visibilityState === 'hidden' && widget !== undefined) {
      keepPlace(widget, baseUrl);
    }
  });
  await app.restored;
  view?.uncover();
  const tooLong = new Promise((done) => window.setTimeout(done, LAYOUT_MS));
  await Promise.race([laidOut.catch(() => undefined), tooLong]);
  const widget = find();
  if (widget !== undefined) {
    keepPlace(widget, baseUrl);
  }
  if (view !== undefined) {
    if (widget?.isVisible) {
      await replace(view, widget, shell);
    } else {
      view.leave();
    }
  }
}
