/** The lesson's item in JupyterLab's status bar. */
import { ReactWidget } from '@jupyterlab/ui-components';
import { createElement, type ReactElement } from 'react';

import { Status } from '../components/Status';
import type { MachineModel } from '../machine';
import type { LessonModel } from '../model';
import { textsIn } from '../texts';
import type { Sheet } from './narrow';

/** What the item is made of. */
export interface StatusItemOptions {
  readonly model: LessonModel;
  readonly machine: MachineModel;
  readonly onShow: () => void;
  readonly onTurn: (sheet: Sheet) => void;
}

/** Draws the model's state in one line. */
export class StatusItem extends ReactWidget {
  constructor(private readonly _options: StatusItemOptions) {
    super();
    this.addClass('hx-status-item');
    _options.model.changed.connect(this._onChanged);
    _options.machine.changed.connect(this._onChanged);
  }

  /** Stop drawing. */
  override dispose(): void {
    this._options.model.changed.disconnect(this._onChanged);
    this._options.machine.changed.disconnect(this._onChanged);
    super.dispose();
  }

  protected override render(): ReactElement {
    const { model, machine, onShow, onTurn } = this._options;
    const { state } = model;
    return createElement(Status, {
      state,
      machine: machine.state,
      texts: textsIn(state.locale),
      isNarrow: this._isNarrow,
      sheet: this._sheet,
      onShow,
      onTurn,
    });
  }

  /** Offer to turn between lesson, files and terminal, or not. */
  readonly setNarrow = (isNarrow: boolean): void => {
    this._isNarrow = isNarrow;
    this._sheet = 'lesson';
    this.update();
  };

  /** Mark what is shown; none of the three where something else is, as a preview. */
  readonly setSheet = (sheet: Sheet | null): void => {
    if (sheet !== this._sheet) {
      this._sheet = sheet;
      this.update();
    }
  };

  private _isNarrow = false;
  private _sheet: Sheet | null = 'lesson';

  private readonly _onChanged = (): void => {
    this.update();
  };
}
