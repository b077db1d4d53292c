/**
 * The theme: the system's until the student chooses one, and from then on that one, in all lessons.
 *
 * Design choices: each lesson has a machine of its own, and JupyterLab keeps its settings in there,
 * so that the choice would hold for one lesson. It is therefore kept by the browser, too; the last
 * choice wins, wherever it was made. To keep it in HexHub would take longer than the first picture.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IThemeManager } from '@jupyterlab/apputils';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import { CHOSEN_THEME, readChosenTheme } from '../early/contract';

const SETTINGS = '@jupyterlab/apputils-extension:themes';
const CHANGE_THEME = 'apputils:change-theme';

/**
 * Let the theme that a student chooses be the one that comes.
 *
 * JupyterLab follows the system's theme at first (`jupyter-config/labconfig`). A choice ends that,
 * but JupyterLab 4.6 then shows the theme of its settings, which is the light one, whatever was
 * chosen.
 */
function takeFirstChoice(commands: JupyterFrontEnd['commands'], themes: IThemeManager): void {
  commands.commandExecuted.connect((_, { id, args, result }) => {
    const { theme } = args;
    if (id === CHANGE_THEME && typeof theme === 'string') {
      void result.then(() => (themes.theme === theme ? undefined : themes.setTheme(theme)));
    }
  });
}

function keep(settings: ISettingRegistry.ISettings, themes: IThemeManager): void {
  const { theme, 'adaptive-theme': isFollowing } = settings.composite;
  try {
    if (isFollowing === true) {
      window.localStorage.removeItem(CHOSEN_THEME);
    } else if (typeof theme === 'string' && themes.themes.includes(theme)) {
      const chosen = JSON.stringify({ theme, isLight: themes.isLight(theme) });
      window.localStorage.setItem(CHOSEN_THEME, chosen);
    }
  } catch {
    // Storage is full or refused: the choice holds for this lesson.
  }
}

/** Bring a choice that was made in another lesson, and keep each that is made in this one. */
async function carryOver(registry: ISettingRegistry, themes: IThemeManager): Promise<void> {
  const settings = await registry.load(SETTINGS);
  const chosen = readChosenTheme();
  const { theme, 'adaptive-theme': isFollowing } = settings.composite;
  if (chosen !== null && (isFollowing === true || theme !== chosen.theme)) {
    await settings.set('theme', chosen.theme);
    await settings.set('adaptive-theme', false);
  }
  settings.changed.connect(() => {
    keep(settings, themes);
  });
}

/** Have the student's theme, and the lesson's texts drawn anew in another one. */
export function followTheme(
  { commands }: JupyterFrontEnd,
  themes: IThemeManager | null,
  registry: ISettingRegistry | null,
  panel: { readonly redrawTexts: () => void },
): void {
  if (themes === null) {
    return;
  }
  themes.themeChanged.connect((_, { oldValue }) => {
    if (oldValue) {
      // What draws Mermaid's drawings is told of the theme in the same round.
      queueMicrotask(() => {
        panel.redrawTexts();
      });
    }
  });
  takeFirstChoice(commands, themes);
  if (registry !== null) {
    void carryOver(registry, themes);
  }
}
