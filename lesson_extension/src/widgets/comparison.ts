/** A tab in which two texts stand beside each other. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import { createElement, type ReactElement } from 'react';

import { SideBySide } from '../components/Difference';
import type { Texts } from '../texts';
import { lessonIcon } from './icon';

/** What is compared. */
export interface Compared {
  readonly title: string;
  readonly left: string;
  readonly right: string;
  readonly leftLabel: string;
  readonly rightLabel: string;
}

class ComparisonContent extends ReactWidget {
  constructor(
    private readonly _compared: Compared,
    private readonly _texts: Texts,
  ) {
    super();
    this.addClass('hx-comparison');
  }

  protected override render(): ReactElement {
    return createElement(SideBySide, { ...this._compared, hasNumbers: true, texts: this._texts });
  }
}

/** Make the tab; there is one at a time, since its id is the same. */
export function makeComparison(compared: Compared, texts: Texts): MainAreaWidget {
  const widget = new MainAreaWidget({ content: new ComparisonContent(compared, texts) });
  widget.id = 'hexhub-comparison';
  widget.addClass('hx-widget');
  widget.title.label = texts.comparisonTitle(compared.title);
  widget.title.icon = lessonIcon;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}
