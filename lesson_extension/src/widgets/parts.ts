/** Parts of JupyterLab's page that its shell has no call for. */
import type { LabShell } from '@jupyterlab/application';
import { DockPanel, type Widget } from '@lumino/widgets';

import { balance, sizesOf } from './areas';

/** Give the widget of that id below `root`, or null. */
export function findPart(root: Widget, id: string): Widget | null {
  for (const child of root.children()) {
    const found = child.id === id ? child : findPart(child, id);
    if (found !== null) {
      return found;
    }
  }
  return null;
}

/** Give files and terminals room again that a narrow page has taken from them. */
export function balanceWork(shell: LabShell): void {
  const dock = findPart(shell, 'jp-main-dock-panel');
  if (!(dock instanceof DockPanel)) {
    return;
  }
  const layout = dock.saveLayout();
  const main = layout.main && balance(layout.main);
  if (JSON.stringify(sizesOf(main)) !== JSON.stringify(sizesOf(layout.main))) {
    dock.restoreLayout({ main });
  }
}
