/** The side panel: draws the model's state, and hands wishes to the model. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { createElement, type ReactElement } from 'react';

import { Panel, type PanelWishes } from '../components/Panel';
import type { MarkdownTools } from '../components/Markdown';
import type { ResultTools } from '../components/OutcomeView';
import type { MachineModel } from '../machine';
import type { LessonModel } from '../model';
import { textsIn } from '../texts';
import type { Preview } from '../wire';
import { lessonIcon } from './icon';

/** What the panel is made of. */
export interface LessonPanelOptions {
  readonly model: LessonModel;
  readonly machine: MachineModel;
  readonly markdown: MarkdownTools;
  readonly tools: ResultTools;
  readonly checkKeys: string;
  readonly onPreview: (preview: Preview) => void;
  readonly onLocale: (locale: string) => void;
  readonly onCompareSolution: (path: string, yours: string, authors: string) => void;
}

/** The lesson in JupyterLab's side area. */
export class LessonPanel extends ReactWidget {
  constructor(private readonly options: LessonPanelOptions) {
    super();
    const { model, machine } = options;
    this._markdown = options.markdown;
    this.id = 'hexhub-lesson-panel';
    this.addClass('hx-widget');
    this.title.icon = lessonIcon;
    this._setCaption();
    model.changed.connect(this._onChanged);
    machine.changed.connect(this._onChanged);
    this._wishes = {
      onCheck: () => void model.check(),
      onHint: () => void model.takeHint(),
      onDone: () => void model.markDone(),
      onRetry: () => void model.refresh(),
      onDismiss: () => {
        model.dismiss();
      },
      onShowSolution: () => void model.showSolution(),
      onHideSolution: () => {
        model.hideSolution();
      },
      onOpenStep: (name) => {
        model.openStep(name);
      },
      onTheory: (isOpen) => {
        model.setTheoryOpen(isOpen);
      },
      onLocale: options.onLocale,
      onPreview: options.onPreview,
      onCancel: () => void model.cancel(),
      onHistory: (step) => void model.loadHistory(step),
      onCompareSolution: options.onCompareSolution,
      startOver: {
        onLoad: () => void machine.loadStarter(),
        onFile: (path) => void machine.restoreFile(path),
        onStep: (step) => void machine.restoreStep(step),
        onUndoFiles: () => void machine.undoRestore(),
        onMachine: () => void machine.reset(),
        onUndoMachine: () => void machine.undoReset(),
      },
    };
  }

  /** Whether the focus is in the panel. */
  get hasFocus(): boolean {
    return this.node.contains(document.activeElement);
  }

  /** Put the focus where reading goes on: on the heading of the step that is unfolded. */
  takeFocus(): void {
    const head =
      this.node.querySelector<HTMLElement>('.hx-step-head[aria-expanded="true"]') ??
      this.node.querySelector<HTMLElement>('button, a');
    head?.focus();
  }

  /** Tell in the panel what the status bar has no room for, or leave it to the bar. */
  setNarrow(isNarrow: boolean): void {
    this._isNarrow = isNarrow;
    this.update();
  }

  /** Draw the texts anew: a drawing in one has the colours of the theme that it was drawn in. */
  redrawTexts(): void {
    this._markdown = { ...this._markdown };
    this.update();
  }

  /** Stop drawing. */
  override dispose(): void {
    this.options.model.changed.disconnect(this._onChanged);
    this.options.machine.changed.disconnect(this._onChanged);
    super.dispose();
  }

  /**
   * Stay drawn while JupyterLab takes the panel out of one place and puts it into another.
   *
   * To end the drawing and begin another in the same element is not safe: where the first had still
   * something to draw, React 18 empties the element for it later on, under the second one's feet.
   */
  protected override onBeforeDetach(message: Message): void {
    queueMicrotask(() => {
      if (!this.isAttached) {
        super.onBeforeDetach(message);
      }
    });
  }

  protected override render(): ReactElement {
    const { state } = this.options.model;
    return createElement(Panel, {
      state,
      machine: this.options.machine.state,
      texts: textsIn(state.locale),
      markdown: this._markdown,
      tools: this.options.tools,
      checkKeys: this.options.checkKeys,
      isNarrow: this._isNarrow,
      wishes: this._wishes,
    });
  }

  private readonly _onChanged = (): void => {
    this._setCaption();
    this.update();
  };

  private _setCaption(): void {
    this.title.caption = textsIn(this.options.model.state.locale).panelTitle;
  }

  private _isNarrow = false;
  private _markdown: MarkdownTools;
  private readonly _wishes: PanelWishes;
}
