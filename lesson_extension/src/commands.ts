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
  previous: 'hexhub-lesson:previous-step',
  following: 'hexhub-lesson:following-step',
  cancel: 'hexhub-lesson:cancel',
  side: 'hexhub-lesson:change-side',
  show: 'hexhub-lesson:show',
  preview: 'hexhub-lesson:preview',
} as const;

interface Definition {
  readonly id: string;
  readonly label: (texts: Texts) => string;
  readonly run: () => unknown;
  readonly canRun: () => boolean;
}

/** What the commands do to the page. */
export interface PageCommands {
  /** Brings the panel to the front without taking the focus. */
  readonly show: () => void;
  /** Takes the focus to the panel, or back to the work from there: for whoever has no mouse. */
  readonly goThere: () => void;
  /** Moves the panel to the other side. */
  readonly changeSide: () => unknown;
}

function turnsOf(model: LessonModel, showPanel: () => void): readonly Definition[] {
  const turn = (by: 1 | -1) => (): void => {
    showPanel();
    model.turn(by);
  };
  const canRun = (): boolean => model.state.lesson !== null;
  return [
    {
      id: CommandIds.previous,
      label: (texts) => texts.commandPrevious,
      run: turn(-1),
      canRun,
    },
    {
      id: CommandIds.following,
      label: (texts) => texts.commandFollowing,
      run: turn(1),
      canRun,
    },
  ];
}

function definitionsOf(model: LessonModel, page: PageCommands): readonly Definition[] {
  const showPanel = page.show;
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
      run: page.goThere,
      canRun: () => true,
    },
    {
      id: CommandIds.cancel,
      label: (texts) => texts.commandCancel,
      run: () => model.cancel(),
      canRun: () => model.state.activity !== null,
    },
    {
      id: CommandIds.side,
      label: (texts) => texts.commandSide,
      run: page.changeSide,
      canRun: () => true,
    },
    ...turnsOf(model, showPanel),
  ];
}

/**
 * Register the commands, and list them in the palette where there is one.
 *
 */
export function registerCommands(
  commands: CommandRegistry,
  palette: ICommandPalette | null,
  model: LessonModel,
  page: PageCommands,
): void {
  const texts = (): Texts => textsIn(model.state.locale);
  for (const { id, label, run, canRun } of definitionsOf(model, page)) {
    commands.addCommand(id, { label: () => label(texts()), execute: run, isEnabled: canRun });
    palette?.addItem({ command: id, category: texts().commandCategory });
  }
  model.changed.connect(() => {
    commands.notifyCommandChanged();
  });
}
