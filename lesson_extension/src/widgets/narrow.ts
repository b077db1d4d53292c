/**
 * The page of a phone: too narrow for the lesson beside the work.
 *
 * Design choices: JupyterLab's own mode of one document at a time, with the lesson as one of the
 * documents, and buttons in the status bar to turn between lesson, files and terminal. Squeezing
 * the side panel leaves neither of them usable, and an overlay hides what the lesson speaks of.
 */
import type { LabShell } from '@jupyterlab/application';
import { DocumentWidget } from '@jupyterlab/docregistry';
import { DockPanel, type Widget } from '@lumino/widgets';

import { setPanelWidth } from './layout';
import { balanceWork, findPart } from './parts';

/** Width of the page below which one thing is shown at a time. */
export const NARROW_PAGE = 700;

/** What can be shown on a narrow page. */
export type Sheet = 'lesson' | 'files' | 'terminal';

/** What follows the width of the page. */
export interface NarrowOptions {
  readonly shell: LabShell;
  readonly panel: Widget & { readonly setNarrow: (isNarrow: boolean) => void };
  /** Put the panel beside the work. */
  readonly addBeside: () => void;
  /** Is told when the page becomes narrow, or wide again. */
  readonly onChange: (isNarrow: boolean) => void;
}

/** Give what stands in front of the main area, where that is seen or not. */
function frontOf(dock: Widget | null): Widget | null {
  return dock instanceof DockPanel ? ([...dock.selectedWidgets()][0] ?? null) : null;
}

/** Keep the page usable at any width; begins at once. */
export function followWidth(options: NarrowOptions): void {
  const { shell, panel, addBeside, onChange } = options;
  const query = window.matchMedia(`(max-width: ${String(NARROW_PAGE)}px)`);
  const apply = (): void => {
    if (query.matches) {
      shell.collapseLeft();
      shell.collapseRight();
      shell.add(panel, 'main');
      shell.mode = 'single-document';
      // The document's name in large letters beside JupyterLab's sign: there is no room for it.
      findPart(shell, 'jp-top-panel')?.hide();
      shell.activateById(panel.id);
    } else {
      shell.mode = 'multiple-document';
      findPart(shell, 'jp-top-panel')?.show();
      addBeside();
      shell.activateById(panel.id);
      balanceWork(shell);
      setPanelWidth(shell);
    }
    shareWithList();
    panel.setNarrow(query.matches);
    onChange(query.matches);
  };
  // Neither the list of files nor what it stands beside has a use for half of such a page; what is
  // opened from the list cannot have the focus yet, by which the shell would know it.
  const dock = findPart(shell, 'jp-main-dock-panel');
  let front = frontOf(dock);
  const shareWithList = (): void => {
    const isAnother = front !== frontOf(dock);
    front = frontOf(dock);
    if (query.matches && isAnother) {
      shell.collapseLeft();
    }
    dock?.setHidden(query.matches && !shell.leftCollapsed);
  };
  shell.layoutModified.connect(shareWithList);
  query.addEventListener('change', apply);
  if (query.matches) {
    apply();
  } else {
    balanceWork(shell);
  }
}

/** Give what a widget of the main area shows; null for what is none of the three. */
export function sheetOf(panel: Widget, widget: Widget): Sheet | null {
  if (widget === panel) {
    return 'lesson';
  }
  if (widget instanceof DocumentWidget) {
    return 'files';
  }
  return widget.node.querySelector('.jp-Terminal') ? 'terminal' : null;
}

/** Give what is shown on a page of one thing at a time; null for another one, as a preview. */
export function shownSheet(shell: LabShell, panel: Widget): Sheet | null {
  if (!shell.leftCollapsed) {
    return 'files';
  }
  const shown = [...shell.widgets('main')].find((widget) => widget.isVisible);
  return shown === undefined ? null : sheetOf(panel, shown);
}

/**
 * Show the lesson, or a file or terminal that is open.
 *
 * @param last - What was used last, which is shown where it is of that kind and still open.
 * @returns False where there is none.
 */
export function turnTo(shell: LabShell, panel: Widget, sheet: Sheet, last?: Widget): boolean {
  const open = [...shell.widgets('main')].filter((widget) => sheetOf(panel, widget) === sheet);
  const found = open.find((widget) => widget === last) ?? open[0];
  if (found !== undefined) {
    shell.activateById(found.id);
  }
  return found !== undefined;
}
