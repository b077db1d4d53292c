/** A web server of the student's machine, shown beside the work. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import { IFrame, refreshIcon, ToolbarButton } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';

import type { Texts } from '../texts';
import type { Preview } from '../wire';
import { lessonIcon } from './icon';

/**
 * What the student's page may do. It comes from the same origin as JupyterLab (a path of the
 * student's own server), where it could be opened in a tab anyway; it may not navigate the lesson
 * away.
 */
const SANDBOX: IFrame.SandboxExceptions[] = [
  'allow-scripts',
  'allow-same-origin',
  'allow-forms',
  'allow-modals',
  'allow-popups',
  'allow-downloads',
];

function makeOutsideLink(url: string, texts: Texts): Widget {
  const link = document.createElement('a');
  link.className = 'hx-preview-outside';
  link.href = url;
  link.target = '_blank';
  link.rel = 'noopener';
  link.textContent = texts.previewOutside;
  const node = document.createElement('div');
  node.append(link);
  return new Widget({ node });
}

/** A tab with the page, a button that loads it again, and a link that opens it outside. */
export class PreviewWidget extends MainAreaWidget<IFrame> {
  /**
   * @param preview - Port and title.
   * @param url - Where the machine's server hands that port out.
   */
  constructor(
    readonly preview: Preview,
    private readonly _url: string,
    texts: Texts,
  ) {
    super({ content: new IFrame({ sandbox: SANDBOX, referrerPolicy: 'same-origin' }) });
    this.id = `hexhub-preview-${String(preview.port)}`;
    this.addClass('hx-preview');
    this.title.label = preview.title;
    this.title.caption = `${preview.title} · ${String(preview.port)}`;
    this.title.icon = lessonIcon;
    this.title.closable = true;
    this.toolbar.addItem(
      'reload',
      new ToolbarButton({
        icon: refreshIcon,
        label: texts.previewReload,
        onClick: () => {
          this.reload();
        },
      }),
    );
    const address = new Widget({ node: document.createElement('code') });
    address.addClass('hx-preview-address');
    address.node.textContent = `localhost:${String(preview.port)}`;
    this.toolbar.addItem('address', address);
    this.toolbar.addItem('outside', makeOutsideLink(_url, texts));
    this.reload();
  }

  /** Load the first page again. */
  reload(): void {
    this.content.url = this._url;
  }
}
