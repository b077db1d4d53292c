/**
 * The plugin that tells Jupyter Server's event bus (`POST /api/events`) what only the browser sees. The
 * server validates each event by the same schemas as its own, and reports it; nothing here waits for
 * that, and nothing fails for it.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IDocumentWidgetOpener } from '@jupyterlab/docmanager';
import type { Kernel } from '@jupyterlab/services';

import { CommandIds } from './commands';
import { Attention, CellWatch, makeTell, StepWatch, stepsInView, type Tell } from './happenings';

const LOOK_MS = 2_000;

/** As much of a notebook's model as tells where a cell stands. */
interface Cells {
  readonly sharedModel?: { readonly cells?: readonly { getId?: () => string }[] };
}

function watchNotebooks(opener: IDocumentWidgetOpener, tell: Tell): void {
  opener.opened.connect((_, { context }) => {
    if (context.contentsModel?.type !== 'notebook' && !context.path.endsWith('.ipynb')) {
      return;
    }
    const positionOf = (cellId: string): number =>
      ((context.model as unknown as Cells).sharedModel?.cells ?? []).findIndex(
        (cell) => cell.getId?.() === cellId,
      );
    const cells = new CellWatch(
      tell,
      () => performance.now(),
      () => context.localPath,
      positionOf,
    );
    const see = (_: unknown, args: Kernel.IAnyMessageArgs): void => {
      cells.see(args);
    };
    context.sessionContext.session?.anyMessage.connect(see);
    context.sessionContext.sessionChanged.connect((_, { newValue }) => {
      newValue?.anyMessage.connect(see);
    });
  });
}

function watchAttention(tell: Tell): void {
  const attention = new Attention(tell, () => performance.now());
  const noteUse = (): void => {
    attention.use();
  };
  for (const kind of ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const) {
    document.addEventListener(kind, noteUse, { capture: true, passive: true });
  }
  window.addEventListener('focus', noteUse);
  window.addEventListener('blur', () => {
    attention.leave();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') {
      attention.leave();
    }
  });
  const steps = new StepWatch(tell);
  window.setInterval(() => {
    attention.look();
    if (document.visibilityState === 'visible') {
      steps.look(stepsInView(document, (body) => body.checkVisibility()));
    }
  }, LOOK_MS);
  if (document.hasFocus()) {
    noteUse();
  }
}

function activate(app: JupyterFrontEnd, opener: IDocumentWidgetOpener | null): void {
  const tell = makeTell(app.serviceManager.events);
  if (opener !== null) {
    watchNotebooks(opener, tell);
  }
  // Tabs of the last time are brought back before this; nobody has opened those.
  void app.restored.then(() => {
    app.commands.commandExecuted.connect((_, { id, args }) => {
      const port = Number((args as { readonly port?: unknown }).port);
      if (id === CommandIds.preview && Number.isInteger(port)) {
        tell('preview_opened', { port });
      }
    });
    watchAttention(tell);
  });
}

/** The plugin; who switches it off loses nothing else. */
export const eventsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'hexhub-lesson:events',
  description: 'Tells the lesson what happens in the IDE.',
  autoStart: true,
  optional: [IDocumentWidgetOpener],
  activate,
};
