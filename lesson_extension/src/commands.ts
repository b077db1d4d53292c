/** The commands of the lesson: for the palette, the keyboard, and whoever extends this. */
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import type { LessonModel } from './model';
import { textsIn, type Texts } from './texts';

/** Names of the commands. */
export const CommandIds = {
  check: 'hexhub-lesson:check',
  hint: 'hexhub-lesson:hint',
  next: 'hexhub-lesson:next',
  show: 'hexhub-lesson:show',
  preview: 'hexhub-lesson:preview',
} as const;

interface Definition {
  readonly id: string;
  readonly label: (texts: Texts) => string;
  readonly run: () => unknown;
  readonly canRun: () => boolean;
}

function definitionsOf(model: LessonModel, showPanel: () => void): readonly Definition[] {
  const openStep = (): string | null => model.state.openStep;
  return [
    {
      id: CommandIds.check,
      label: (texts) => texts.commandCheck,
      run: () => {
        showPanel();
        return model.check();
      },
      canRun: () => model.canCheck(openStep()),
    },
    {
      id: CommandIds.hint,
      label: (texts) => texts.commandHint,
      run: () => {
        showPanel();
        return model.takeHint();
      },
      canRun: () => model.canTakeHint(openStep()),
    },
    {
      id: CommandIds.next,
      label: (texts) => texts.commandNext,
      run: () => {
        showPanel();
        model.openNextStep();
      },
      canRun: () => model.state.lesson !== null,
    },
    {
      id: CommandIds.show,
      label: (texts) => texts.commandShow,
      run: showPanel,
      canRun: () => true,
    },
  ];
}

/**
 * Register the commands, and list them in the palette where there is one.
 *
 * @param showPanel - Brings the panel to the front without taking the focus.
 */
export function registerCommands(
  commands: CommandRegistry,
  palette: ICommandPalette | null,
  model: LessonModel,
  showPanel: () => void,
): void {
  const texts = (): Texts => textsIn(model.state.locale);
  for (const { id, label, run, canRun } of definitionsOf(model, showPanel)) {
    commands.addCommand(id, { label: () => label(texts()), execute: run, isEnabled: canRun });
    palette?.addItem({ command: id, category: texts().commandCategory });
  }
  model.changed.connect(() => {
    commands.notifyCommandChanged();
  });
}
