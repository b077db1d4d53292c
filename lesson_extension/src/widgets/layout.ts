/**
 * How the page looks when a student opens a lesson for the first time.
 *
 * Design choices: files and terminal stand side by side, for a student looks from one to the other
 * all the time, and neither loses its height; the lesson stands at the right of both. Where the
 * page is too narrow for the file browser as well, that one starts folded. Only below the width of
 * a laptop, where a shell would have fewer than 50 columns, does the terminal stand below the
 * files. This happens once; afterwards JupyterLab keeps the student's own layout.
 */
import type { JupyterFrontEnd, LabShell } from '@jupyterlab/application';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { SplitPanel, Widget } from '@lumino/widgets';

import type { Lesson } from '../wire';
import { openFile } from './documents';
import { findPart } from './parts';

/** Width of the panel at first, in pixels: on a wide page, and where files and terminal need it. */
const PANEL_WIDTH = 400;
const SMALL_PANEL_WIDTH = 368;
const FILES_WIDTH = 240;
/** Page width from which file browser, files, terminal and lesson fit side by side. */
const WIDE_PAGE = 1_600;
/** Page width from which files, terminal and lesson do. */
const SIDE_BY_SIDE_PAGE = 1_200;

/** Frames of the same size after which a page counts as laid out. */
const SETTLED_FRAMES = 3;
const SETTLE_TIMEOUT_MS = 4_000;

/** Word in `open:` of a lesson that means a terminal. */
const TERMINAL = 'terminal';

/** Wait until the page has its size, and keeps it: JupyterLab is resized while its styles load. */
async function settled(shell: LabShell): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_TIMEOUT_MS;
  let sameFrames = 0;
  let width = -1;
  while (sameFrames < SETTLED_FRAMES && performance.now() < deadlineMs) {
    await new Promise(requestAnimationFrame);
    const isSame = shell.node.clientWidth === width && width >= window.innerWidth - 1;
    sameFrames = isSame ? sameFrames + 1 : 0;
    width = shell.node.clientWidth;
  }
}

/** Give the lesson panel its width; JupyterLab has no call for the width of a side area. */
export function setPanelWidth(shell: LabShell): void {
  const split = findPart(shell, 'jp-main-split-panel');
  if (!(split instanceof SplitPanel)) {
    return;
  }
  const left = shell.leftCollapsed ? 0 : FILES_WIDTH;
  const panel = isWide(shell) ? PANEL_WIDTH : SMALL_PANEL_WIDTH;
  const main = Math.max(split.node.clientWidth - left - panel, panel);
  split.setRelativeSizes([left, main, panel]);
}

async function openTerminal(
  app: JupyterFrontEnd,
  shell: LabShell,
  beside: Widget | null,
): Promise<Widget | null> {
  const name = window.hexhubEarly?.terminal;
  const terminal: unknown = await app.commands.execute('terminal:create-new', name ? { name } : {});
  if (!(terminal instanceof Widget)) {
    return null;
  }
  if (beside !== null) {
    // On a phone this is how it will stand once the page is wide.
    const isOneAtATime = shell.mode === 'single-document';
    const isBeside = isOneAtATime || shell.node.clientWidth >= SIDE_BY_SIDE_PAGE;
    const mode = isBeside ? 'split-right' : 'split-bottom';
    shell.add(terminal, 'main', { mode, ref: beside.id });
  }
  return terminal;
}

function isWide(shell: LabShell): boolean {
  return shell.node.clientWidth >= WIDE_PAGE;
}

/** Show the panel at its width, and fold the file browser where there is no room for both. */
export async function showPanel(shell: LabShell, panel: Widget): Promise<void> {
  await shell.restored;
  shell.activateById(panel.id);
  await settled(shell);
  if (!isWide(shell)) {
    shell.collapseLeft();
  }
  setPanelWidth(shell);
}

/** Open the files that the lesson names and a terminal beside them, and close the launcher. */
export async function openFirstFiles(
  app: JupyterFrontEnd,
  shell: LabShell,
  documents: IDocumentManager,
  lesson: Lesson,
): Promise<void> {
  const { contents } = app.serviceManager;
  let first: Widget | null = null;
  for (const path of lesson.lesson.open.filter((name) => name !== TERMINAL)) {
    const opened = await openFile(documents, contents, path, first ? { ref: first.id } : {});
    first ??= opened;
  }
  const terminal = lesson.lesson.open.includes(TERMINAL)
    ? await openTerminal(app, shell, first)
    : null;
  const shown = first ?? terminal;
  if (shown === null) {
    return;
  }
  for (const widget of [...shell.widgets('main')]) {
    if (widget.id.startsWith('launcher')) {
      widget.close();
    }
  }
  shell.activateById(shown.id);
}
