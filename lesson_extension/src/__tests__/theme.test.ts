/** The theme is the system's until one is chosen, and then that one, in all lessons. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IThemeManager } from '@jupyterlab/apputils';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';
import { beforeEach, expect, it, vi } from 'vitest';

import { CHOSEN_THEME, readChosenTheme } from '../early/contract';
import { followTheme } from '../widgets/theme';

const LIGHT = 'JupyterLab Light';
const DARK = 'JupyterLab Dark';

/** JupyterLab with one lesson's settings, as its theme manager reads them. */
class Lab {
  readonly composite: Record<string, unknown> = { theme: LIGHT, 'adaptive-theme': true };
  readonly changed = new Signal<object, undefined>({});
  readonly executed = new Signal<object, object>({});
  readonly themeChanged = new Signal<object, object>({});
  readonly set = vi.fn((key: string, value: unknown) => {
    this.composite[key] = value;
    this.changed.emit(undefined);
    return Promise.resolve();
  });
  readonly redrawTexts = vi.fn();
  readonly setTheme = vi.fn((theme: string) => this.set('theme', theme));

  async open(): Promise<this> {
    const { composite, set, changed, setTheme, themeChanged, executed } = this;
    const themes = {
      get theme() {
        const { theme } = composite;
        return theme;
      },
      themes: [LIGHT, DARK],
      isLight: (theme: string) => theme === LIGHT,
      setTheme,
      themeChanged,
    };
    followTheme(
      { commands: { commandExecuted: executed } } as unknown as JupyterFrontEnd,
      themes as unknown as IThemeManager,
      { load: () => Promise.resolve({ composite, set, changed }) } as unknown as ISettingRegistry,
      this,
    );
    await Promise.resolve();
    await Promise.resolve();
    return this;
  }

  /** Choose a theme as JupyterLab 4.6 does it: the first choice only ends that it follows. */
  async choose(theme: string): Promise<void> {
    const result = this.set(
      ...((this.composite['adaptive-theme'] === true
        ? ['adaptive-theme', false]
        : ['theme', theme]) as [string, unknown]),
    );
    this.executed.emit({ id: 'apputils:change-theme', args: { theme }, result });
    await result;
    await Promise.resolve();
  }
}

beforeEach(() => {
  window.localStorage.clear();
});

it('takes the first choice, though JupyterLab only stops following the system', async () => {
  const lab = await new Lab().open();
  await lab.choose(DARK);
  expect(lab.composite).toEqual({ theme: DARK, 'adaptive-theme': false });
  lab.setTheme.mockClear();
  await lab.choose(LIGHT);
  expect(lab.composite).toEqual({ theme: LIGHT, 'adaptive-theme': false });
  expect(lab.setTheme).not.toHaveBeenCalled();
});

it('leaves all other commands alone', async () => {
  const lab = await new Lab().open();
  lab.executed.emit({ id: 'docmanager:save', args: { theme: DARK }, result: Promise.resolve() });
  lab.executed.emit({ id: 'apputils:change-theme', args: {}, result: Promise.resolve() });
  await Promise.resolve();
  expect(lab.set).not.toHaveBeenCalled();
});

it('has the choice in every lesson, until the system is followed again', async () => {
  const first = await new Lab().open();
  await first.choose(DARK);
  expect(readChosenTheme()).toEqual({ theme: DARK, isLight: false });
  const second = await new Lab().open();
  expect(second.composite).toEqual({ theme: DARK, 'adaptive-theme': false });
  await second.choose(LIGHT);
  await first.open();
  expect(first.composite).toEqual({ theme: LIGHT, 'adaptive-theme': false });
  await first.set('adaptive-theme', true);
  expect(readChosenTheme()).toBeNull();
});

it('changes nothing where nothing was chosen, or the same', async () => {
  const lab = await new Lab().open();
  expect(lab.set).not.toHaveBeenCalled();
  await lab.choose(DARK);
  lab.set.mockClear();
  await lab.open();
  expect(lab.set).not.toHaveBeenCalled();
});

it('has the texts drawn anew in another theme, and not for the first one', async () => {
  const lab = await new Lab().open();
  lab.themeChanged.emit({ oldValue: null, newValue: LIGHT });
  await Promise.resolve();
  expect(lab.redrawTexts).not.toHaveBeenCalled();
  lab.themeChanged.emit({ oldValue: LIGHT, newValue: DARK });
  await Promise.resolve();
  expect(lab.redrawTexts).toHaveBeenCalledTimes(1);
});

it.each(['', 'null', '7', '{"theme": 1, "isLight": true}', '{"theme": "x"}', '[]'])(
  'takes no rubbish for a choice: %s',
  (kept) => {
    window.localStorage.setItem(CHOSEN_THEME, kept);
    expect(readChosenTheme()).toBeNull();
  },
);
