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

/** Milliseconds between two tries while nothing answers. */
const RETRY_MS = 3_000;

/**
 * Tell whether a frame that was loaded shows nothing of the student's.
 *
 * While nothing answers on the port, jupyter-server-proxy gives Jupyter's own error page; under
 * JupyterHub that one refuses to be framed, and the browser puts a page there that cannot be read.
 */
function isEmpty(frame: HTMLIFrameElement): boolean {
  const page = frame.contentDocument;
  return page?.querySelector('#site > .error h1') !== null;
}

function makeEmptyNote(port: number, texts: Texts): HTMLElement {
  const note = document.createElement('div');
  note.className = 'hx-preview-empty';
  note.setAttribute('role', 'status');
  const title = document.createElement('strong');
  title.textContent = texts.previewEmpty(port);
  const help = document.createElement('p');
  help.textContent = texts.previewEmptyHelp;
  note.append(title, help);
  note.hidden = true;
  return note;
}

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
    this._emptyNote = makeEmptyNote(preview.port, texts);
    this.content.node.append(this._emptyNote);
    const frame = this.content.node.querySelector('iframe');
    frame?.addEventListener('load', () => {
      this._judge(frame);
    });
    this.reload();
  }

  /** Stop trying. */
  override dispose(): void {
    clearTimeout(this._retry);
    super.dispose();
  }

  /** Load the first page again. */
  reload(): void {
    clearTimeout(this._retry);
    this.content.url = this._url;
  }

  /** Say so where there is nothing to see, and try again later while somebody looks. */
  private _judge(frame: HTMLIFrameElement): void {
    const nothing = frame.src !== '' && isEmpty(frame);
    this._emptyNote.hidden = !nothing;
    if (nothing) {
      this._retry = setTimeout(() => {
        if (this.isVisible && document.visibilityState === 'visible') {
          this.reload();
        } else {
          this._judge(frame);
        }
      }, RETRY_MS);
    }
  }

  private readonly _emptyNote: HTMLElement;
  private _retry: ReturnType<typeof setTimeout> | undefined;
}
