/** The side of the page where the lesson stands, kept in JupyterLab's settings. */
import type { LabShell } from '@jupyterlab/application';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { Widget } from '@lumino/widgets';

type Side = 'left' | 'right';

/** Before the other tabs of either side bar. */
const PANEL_RANK = 10;
const SETTING = 'side';

/** Puts the panel at its side. */
export interface PanelSide {
  /** Add the panel at the side that the student chose; at the right until that is known. */
  readonly add: () => void;
  /** Move it to the other side, and keep that. */
  readonly change: () => Promise<void>;
}

/**
 * Make what puts `panel` at its side; without settings it stays at the right.
 *
 * @param restored - When JupyterLab has put everything where it was when the page was left, which may
 *   have been before it kept the panel's new side.
 */
export function makeSide(
  shell: LabShell,
  panel: Widget,
  registry: ISettingRegistry | null,
  pluginId: string,
  restored: Promise<void>,
): PanelSide {
  let side: Side = 'right';
  const loaded = registry?.load(pluginId) ?? null;
  const add = (): void => {
    shell.add(panel, side, { rank: PANEL_RANK, type: 'Lesson' });
  };
  void loaded?.then((settings) => {
    const follow = (): void => {
      const wanted: Side = settings.get(SETTING).composite === 'left' ? 'left' : 'right';
      if (wanted !== side) {
        side = wanted;
        // On a phone's page it is one of the documents, and moves when the page is wide again.
        if (![...shell.widgets('main')].includes(panel)) {
          add();
          shell.activateById(panel.id);
        }
      }
    };
    settings.changed.connect(follow);
    follow();
  });
  void Promise.all([loaded, restored]).then(() => {
    const others = shell.widgets(side === 'right' ? 'left' : 'right');
    if ([...others].includes(panel)) {
      add();
      shell.activateById(panel.id);
    }
  });
  return {
    add,
    change: async () => {
      const settings = await loaded;
      await settings?.set(SETTING, side === 'right' ? 'left' : 'right');
    },
  };
}
