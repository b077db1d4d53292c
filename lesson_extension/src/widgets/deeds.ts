/** What the buttons of a lesson do in JupyterLab: type into a terminal, open a file at a line. */
import type { JupyterFrontEnd, LabShell } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { DocumentWidget } from '@jupyterlab/docregistry';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { ITerminalTracker } from '@jupyterlab/terminal';
import { Widget } from '@lumino/widgets';

import { keysOf } from '../actions';
import { openFile } from './documents';

/** Longest wait for a terminal that was just opened, in milliseconds. */
const TERMINAL_TIMEOUT_MS = 15_000;

type TerminalWidget = NonNullable<ITerminalTracker['currentWidget']>;

function isTerminal(widget: Widget): widget is TerminalWidget {
  return (
    widget instanceof MainAreaWidget &&
    widget.content instanceof Widget &&
    'session' in widget.content
  );
}

/** Give the terminal that was used last, else any, else a new one. */
async function findTerminal(
  app: JupyterFrontEnd,
  shell: LabShell,
  tracker: ITerminalTracker | null,
): Promise<TerminalWidget | null> {
  const open = [...shell.widgets('main')].filter(isTerminal);
  const current = tracker?.currentWidget ?? null;
  const found = open.find((widget) => widget === current) ?? open.at(-1);
  if (found !== undefined) {
    return found;
  }
  const made: unknown = await app.commands.execute('terminal:create-new');
  return made instanceof Widget && isTerminal(made) ? made : null;
}

/** Wait until a terminal's shell listens. */
async function connected(terminal: TerminalWidget): Promise<boolean> {
  const { session } = terminal.content;
  const deadlineMs = performance.now() + TERMINAL_TIMEOUT_MS;
  while (session.connectionStatus !== 'connected') {
    if (terminal.isDisposed || performance.now() > deadlineMs) {
      return false;
    }
    await new Promise(requestAnimationFrame);
  }
  return true;
}

/**
 * Type `code` and Return into the lesson's terminal, which comes to the front and gets the focus, so
 * that the student sees what runs and can stop it.
 *
 * @returns False where the code has signs that cannot be seen; then nothing is typed.
 */
export async function runInTerminal(
  app: JupyterFrontEnd,
  shell: LabShell,
  tracker: ITerminalTracker | null,
  code: string,
): Promise<boolean> {
  const keys = keysOf(code);
  if (keys === null) {
    return false;
  }
  const terminal = await findTerminal(app, shell, tracker);
  if (terminal !== null) {
    shell.activateById(terminal.id);
    if (await connected(terminal)) {
      terminal.content.session.send({ type: 'stdin', content: [keys] });
    }
  }
  return true;
}

/** Give the editor of a file's tab, where it has one. */
function editorOf(widget: Widget): CodeEditor.IEditor | null {
  const content: unknown = widget instanceof DocumentWidget ? widget.content : null;
  const hasEditor = content instanceof Widget && 'editor' in content;
  return hasEditor ? (content.editor as CodeEditor.IEditor) : null;
}

/**
 * Open a file below the home folder, with the cursor at `line`, counted from 1.
 *
 * @returns False where there is no such file.
 */
export async function openAt(
  app: JupyterFrontEnd,
  shell: LabShell,
  documents: IDocumentManager,
  path: string,
  line: number | null,
): Promise<boolean> {
  // Among the other files, so that it does not cover a terminal that was used last.
  const beside = [...shell.widgets('main')].find((known) => known instanceof DocumentWidget);
  const options = beside === undefined ? {} : { ref: beside.id };
  const widget = await openFile(documents, app.serviceManager.contents, path, options);
  if (widget === null) {
    return false;
  }
  shell.activateById(widget.id);
  if (widget instanceof DocumentWidget) {
    await widget.revealed;
  }
  const editor = editorOf(widget);
  if (editor !== null && line !== null) {
    const last = Math.max(0, editor.lineCount - 1);
    const position = { line: Math.min(line - 1, last), column: 0 };
    editor.setCursorPosition(position);
    editor.revealPosition(position);
    editor.focus();
  }
  return true;
}
