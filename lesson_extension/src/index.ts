/**
 * The plugin of JupyterLab: makes the parts and joins them.
 *
 * Where there is no lesson (a JupyterLab that HexHub did not start), the server extension is absent
 * or refuses; the panel then says so and nothing else is touched.
 */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ServerConnection } from '@jupyterlab/services';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIds, registerCommands } from './commands';
import { eventsPlugin } from './events';
import { localeCookie, pickLocale } from './locale';
import { LessonModel, type Memory } from './model';
import { makeLessonApi, type Send } from './request';
import { textsIn } from './texts';
import { saveChangedDocuments } from './widgets/documents';
import { openFirstFiles, showPanel } from './widgets/layout';
import { makeMarkdownRenderer } from './widgets/markdown';
import { LessonPanel } from './widgets/panel';
import { PreviewWidget } from './widgets/preview';

const PLUGIN_ID = 'hexhub-lesson:plugin';
/** Left of the other tabs of the right side bar. */
const PANEL_RANK = 10;
const CHECK_KEYS = 'Ctrl+Shift+Enter';

function makeSend(settings: ServerConnection.ISettings): Send {
  const base = URLExt.join(settings.baseUrl, 'hexhub');
  return (path, init) => ServerConnection.makeRequest(`${base}/${path}`, init, settings);
}

/** Keep texts in JupyterLab's state, which lives in the student's machine. */
function makeMemory(stateDb: IStateDB): Memory {
  return {
    read: async (key) => {
      const kept = await stateDb.fetch(`${PLUGIN_ID}:${key}`);
      return typeof kept === 'string' ? kept : null;
    },
    write: (key, value) => stateDb.save(`${PLUGIN_ID}:${key}`, value),
  };
}

function followVisibility(model: LessonModel): void {
  const tell = (): void => {
    model.setVisible(document.visibilityState === 'visible');
  };
  document.addEventListener('visibilitychange', tell);
  window.addEventListener('focus', tell);
  window.addEventListener('online', tell);
}

/** Do something once in the life of this machine's workspace. */
async function once(memory: Memory, key: string, act: () => Promise<void>): Promise<void> {
  if ((await memory.read(key)) === null) {
    await act();
    await memory.write(key, 'yes');
  }
}

function activate(
  app: JupyterFrontEnd,
  shell: ILabShell,
  documents: IDocumentManager,
  rendermime: IRenderMimeRegistry,
  stateDb: IStateDB,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null,
  translator: ITranslator | null,
): void {
  const settings = app.serviceManager.serverSettings;
  const memory = makeMemory(stateDb);
  const model = new LessonModel({
    api: makeLessonApi(makeSend(settings)),
    memory,
    locale: pickLocale({
      cookies: document.cookie,
      lab: translator?.languageCode ?? '',
      query: window.location.search,
      browser: navigator.languages,
    }),
    saveDocuments: () => saveChangedDocuments(documents, shell.widgets('main')),
  });
  const panel = new LessonPanel({
    model,
    renderMarkdown: makeMarkdownRenderer(rendermime),
    checkKeys: CHECK_KEYS,
    onPreview: ({ port, title }) => void app.commands.execute(CommandIds.preview, { port, title }),
    onLocale: (locale) => {
      document.cookie = localeCookie(locale, PageConfig.getOption('hubPrefix'));
      void model.setLocale(locale);
    },
  });
  shell.add(panel, 'right', { rank: PANEL_RANK, type: 'Lesson' });
  restorer?.add(panel, panel.id);
  registerCommands(app.commands, palette, model, () => {
    if (!panel.isVisible) {
      shell.activateById(panel.id);
    }
  });
  addPreviews(app, shell, model, restorer);

  followVisibility(model);
  void model.start();
  const shown = app.restored.then(() => once(memory, 'panel-shown', () => showPanel(shell, panel)));
  void Promise.all([model.ready, shown]).then(([lesson]) =>
    once(memory, `files-opened:${lesson.course.name}/${lesson.lesson.name}`, () =>
      openFirstFiles(app, shell, documents, lesson),
    ),
  );
}

/** Add the command that shows a port of the machine, and bring its tabs back after a reload. */
function addPreviews(
  app: JupyterFrontEnd,
  shell: ILabShell,
  model: LessonModel,
  restorer: ILayoutRestorer | null,
): void {
  const tracker = new WidgetTracker<PreviewWidget>({ namespace: 'hexhub-lesson-previews' });
  app.commands.addCommand(CommandIds.preview, {
    execute: async (args) => {
      const port = Number(args.port);
      const title = typeof args.title === 'string' ? args.title : '';
      let widget = tracker.find((known) => known.preview.port === port);
      if (widget === undefined) {
        const { baseUrl } = app.serviceManager.serverSettings;
        const url = `${URLExt.join(baseUrl, 'proxy', String(port))}/`;
        widget = new PreviewWidget({ port, title }, url, textsIn(model.state.locale));
        shell.add(widget, 'main');
        await tracker.add(widget);
      } else {
        widget.reload();
      }
      shell.activateById(widget.id);
    },
  });
  void restorer?.restore(tracker, {
    command: CommandIds.preview,
    args: (widget) => ({ ...widget.preview }),
    name: (widget) => String(widget.preview.port),
  });
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'The lesson beside the work: theory, steps, checks and hints.',
  autoStart: true,
  requires: [ILabShell, IDocumentManager, IRenderMimeRegistry, IStateDB],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate,
};

export default [plugin, eventsPlugin];
