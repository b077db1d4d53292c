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
import { ICommandPalette, IThemeManager, WidgetTracker } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ServerConnection } from '@jupyterlab/services';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITerminalTracker } from '@jupyterlab/terminal';
import { ITranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import type { BlockAction } from './actions';
import { CommandIds, registerCommands } from './commands';
import { eventsPlugin } from './events';
import { localeCookie, pickLocale } from './locale';
import { MachineModel } from './machine';
import { LessonModel, type Memory } from './model';
import { makeLessonApi, type LessonApi, type Send } from './request';
import { textsIn, type Texts } from './texts';
import type { Lesson } from './wire';
import { makeComparison, type Compared } from './widgets/comparison';
import { openAt, runInTerminal } from './widgets/deeds';
import { hasFile, readTextFile, reloadDocuments, saveChangedDocuments } from './widgets/documents';
import { takeOver } from './widgets/early';
import { passOverTerminals } from './widgets/keys';
import { openFirstFiles, showPanel } from './widgets/layout';
import { makeMarkdownRenderer } from './widgets/markdown';
import { followWidth, sheetOf, shownSheet, turnTo, type Sheet } from './widgets/narrow';
import { LessonPanel } from './widgets/panel';
import { PreviewWidget } from './widgets/preview';
import { Saves } from './widgets/saves';
import { makeSide } from './widgets/side';
import { StatusItem } from './widgets/status';
import { followTheme } from './widgets/theme';

const PLUGIN_ID = 'hexhub-lesson:plugin';
const CHECK_KEYS = 'Ctrl+Shift+Enter';
/** Left of JupyterLab's own items, which count from 0. */
const STATUS_RANK = -10;
const KEY_BYTES = 16;

function makeSend(settings: ServerConnection.ISettings): Send {
  const base = URLExt.join(settings.baseUrl, 'hexhub');
  // A redirect leads to the hub; with subdomains that is another origin, which cannot be followed.
  return (path, init) =>
    ServerConnection.makeRequest(`${base}/${path}`, { ...init, redirect: 'manual' }, settings);
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

/** Give 32 hex digits; `crypto.randomUUID` is missing where a page has no TLS. */
function makeKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function followVisibility(model: LessonModel, machine: MachineModel): void {
  const tell = (): void => {
    model.setVisible(document.visibilityState === 'visible');
    machine.setVisible(document.visibilityState === 'visible');
  };
  document.addEventListener('visibilitychange', tell);
  window.addEventListener('focus', tell);
  window.addEventListener('online', tell);
}

/** Open what a phone's tab is for where nothing of it is open: a shell that runs, or a new one. */
async function openSheet({ app }: Lab, sheet: Sheet): Promise<void> {
  if (sheet !== 'terminal') {
    await app.commands.execute('filebrowser:activate');
    return;
  }
  const [shell] = [...app.serviceManager.terminals.running()];
  await app.commands.execute('terminal:create-new', shell ? { name: shell.name } : {});
}

/** Do something once in the life of this machine's workspace. */
async function once(memory: Memory, key: string, act: () => Promise<void>): Promise<void> {
  if ((await memory.read(key)) === null) {
    await act();
    await memory.write(key, 'yes');
  }
}

/** Give the page that starts the machine of this lesson. */
function openPage(lesson: Lesson): string {
  return `${lesson.course.url}/lessons/${lesson.lesson.name}/open`;
}

/** What JupyterLab hands in. */
interface Lab {
  readonly app: JupyterFrontEnd;
  readonly shell: ILabShell;
  readonly documents: IDocumentManager;
  readonly rendermime: IRenderMimeRegistry;
  readonly restorer: ILayoutRestorer | null;
  readonly terminals: ITerminalTracker | null;
}

/** The things that a lesson's buttons do, each saying so where it cannot. */
function makeDeeds(lab: Lab, model: LessonModel) {
  const { app, shell, documents, terminals } = lab;
  const texts = (): Texts => textsIn(model.state.locale);
  const open = async (path: string, line: number | null): Promise<void> => {
    if (!(await openAt(app, shell, documents, path, line))) {
      model.say('no_such_file', texts().noSuchFile(path));
    }
  };
  return {
    open,
    act: async (action: BlockAction, code: string): Promise<void> => {
      if (action.kind === 'open') {
        await open(action.path, action.line);
      } else if (action.kind === 'preview') {
        await app.commands.execute(CommandIds.preview, { port: action.port });
      } else if (action.kind === 'run' && !(await runInTerminal(app, shell, terminals, code))) {
        model.say('block_unsafe', texts().blockUnsafe);
      }
    },
    compare: (compared: Compared): void => {
      [...shell.widgets('main')].find((widget) => widget.id === 'hexhub-comparison')?.close();
      const widget = makeComparison(compared, texts());
      shell.add(widget, 'main');
      shell.activateById(widget.id);
    },
  };
}

function makePanel(
  lab: Lab,
  model: LessonModel,
  machine: MachineModel,
  api: LessonApi,
): LessonPanel {
  const deeds = makeDeeds(lab, model);
  const { contents } = lab.app.serviceManager;
  const texts = (): Texts => textsIn(model.state.locale);
  return new LessonPanel({
    model,
    machine,
    markdown: {
      render: makeMarkdownRenderer(lab.rendermime, async (name) => {
        const { media_type: type, data } = await api.image(name, model.state.locale);
        return `data:${type};base64,${data}`;
      }),
      onAction: (action, code) => void deeds.act(action, code),
    },
    tools: {
      hasFile: (path) => hasFile(contents, path),
      onOpenPlace: ({ path, line }) => void deeds.open(path, line),
      onCompare: (title, left, right) => {
        const { expected: leftLabel, actual: rightLabel } = texts();
        deeds.compare({ title, left, right, leftLabel, rightLabel });
      },
    },
    checkKeys: CHECK_KEYS,
    onPreview: ({ port, title }) =>
      void lab.app.commands.execute(CommandIds.preview, { port, title }),
    onCompareSolution: (title, left, right) => {
      const { yours: leftLabel, authors: rightLabel } = texts();
      deeds.compare({ title, left, right, leftLabel, rightLabel });
    },
    onLocale: (locale) => {
      document.cookie = localeCookie(
        locale,
        PageConfig.getOption('hubPrefix'),
        PageConfig.getOption('hubHost'),
      );
      void model.setLocale(locale);
    },
  });
}

/** Add the item of the status bar, which on a narrow page turns between lesson and work. */
function addStatus(
  bar: IStatusBar | null,
  lab: Lab,
  model: LessonModel,
  machine: MachineModel,
  panel: LessonPanel,
) {
  const lastUsed = new Map<Sheet, Widget>();
  const item = new StatusItem({
    model,
    machine,
    onShow: () => {
      lab.shell.activateById(panel.id);
    },
    onTurn: (sheet) => {
      if (turnTo(lab.shell, panel, sheet, lastUsed.get(sheet))) {
        lab.shell.collapseLeft();
      } else {
        void openSheet(lab, sheet);
      }
    },
  });
  lab.shell.currentChanged.connect((_, { newValue }) => {
    const sheet = newValue && sheetOf(panel, newValue);
    if (newValue !== null && sheet !== null) {
      lastUsed.set(sheet, newValue);
    }
  });
  // A file was opened from the list, be it the one that was in front.
  lab.documents.activateRequested.connect(() => {
    if (lab.shell.mode === 'single-document') {
      lab.shell.collapseLeft();
    }
  });
  // Not by what has the focus: the lesson comes to the front without taking it.
  lab.shell.layoutModified.connect(() => {
    item.setSheet(shownSheet(lab.shell, panel));
  });
  bar?.registerStatusItem('hexhub-lesson:status', {
    item,
    align: 'left',
    rank: STATUS_RANK,
    // It stays where the bar is too narrow for all.
    priority: 1,
  });
  return item;
}

/** Add the command that shows a port of the machine, and bring its tabs back after a reload. */
function addPreviews({ app, shell, restorer }: Lab, model: LessonModel): void {
  const tracker = new WidgetTracker<PreviewWidget>({ namespace: 'hexhub-lesson-previews' });
  const titleOf = (port: number): string => {
    const known = model.state.lesson?.lesson.preview.find((preview) => preview.port === port);
    return known?.title ?? textsIn(model.state.locale).previewPort(port);
  };
  app.commands.addCommand(CommandIds.preview, {
    execute: async (args) => {
      const port = Number(args.port);
      const title = typeof args.title === 'string' ? args.title : titleOf(port);
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

/** Lay the page out: once as the lesson says, later as the student left it; fulfilled then. */
function layOut(lab: Lab, model: LessonModel, memory: Memory, panel: LessonPanel): Promise<void> {
  const { app, shell, documents } = lab;
  const shown = app.restored.then(() => once(memory, 'panel-shown', () => showPanel(shell, panel)));
  return Promise.all([model.ready, shown]).then(([lesson]) =>
    once(memory, `files-opened:${lesson.course.name}/${lesson.lesson.name}`, async () => {
      await openFirstFiles(app, shell, documents, lesson);
      if (shell.mode === 'single-document') {
        shell.activateById(panel.id);
      }
    }),
  );
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'The lesson beside the work: theory, steps, checks and hints.',
  autoStart: true,
  requires: [ILabShell, IDocumentManager, IRenderMimeRegistry, IStateDB],
  optional: [
    ICommandPalette,
    ILayoutRestorer,
    ITranslator,
    ITerminalTracker,
    IStatusBar,
    ISettingRegistry,
    IThemeManager,
  ],
  activate: (
    app: JupyterFrontEnd,
    shell: ILabShell,
    documents: IDocumentManager,
    rendermime: IRenderMimeRegistry,
    stateDb: IStateDB,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    terminals: ITerminalTracker | null,
    statusBar: IStatusBar | null,
    settings: ISettingRegistry | null,
    themes: IThemeManager | null,
  ): void => {
    const lab: Lab = { app, shell, documents, rendermime, restorer, terminals };
    const memory = makeMemory(stateDb);
    const api = makeLessonApi(makeSend(app.serviceManager.serverSettings));
    const { contents } = app.serviceManager;
    const saves = new Saves();
    for (const factory of ['Editor', 'Notebook']) {
      app.docRegistry.addWidgetExtension(factory, {
        createNew: (_, context) => {
          saves.watch(context);
        },
      });
    }
    const model = new LessonModel({
      api,
      memory,
      locale: pickLocale({
        cookies: document.cookie,
        lab: translator?.languageCode ?? '',
        query: window.location.search,
        browser: navigator.languages,
      }),
      saveDocuments: () => saveChangedDocuments(documents, shell.widgets('main'), saves),
      readFile: (path) => readTextFile(contents, path),
      makeKey,
    });
    const machine = new MachineModel({
      api,
      reloadFiles: (paths) =>
        reloadDocuments(
          documents,
          shell.widgets('main'),
          paths.map((path) => `work/${path}`),
        ),
      leave: () => {
        const { lesson } = model.state;
        if (lesson !== null) {
          window.location.assign(openPage(lesson));
        }
      },
    });
    const panel = makePanel(lab, model, machine, api);
    const side = makeSide(shell, panel, settings, PLUGIN_ID, app.restored);
    side.add();
    restorer?.add(panel, panel.id);
    const show = (): void => {
      if (!panel.isVisible) {
        shell.activateById(panel.id);
      }
    };
    registerCommands(app.commands, palette, model, {
      show,
      goThere: () => {
        const work = shell.currentWidget;
        if (panel.hasFocus && work !== null && work !== panel) {
          shell.activateById(work.id);
        } else {
          show();
          panel.takeFocus();
        }
      },
      changeSide: side.change,
    });
    passOverTerminals(app.commands, [CommandIds.check, CommandIds.show]);
    addPreviews(lab, model);
    const status = addStatus(statusBar, lab, model, machine, panel);
    void app.restored.then(() => {
      followWidth({ shell, panel, addBeside: side.add, onChange: status.setNarrow });
    });
    followTheme(app, themes, settings, panel);
    followVisibility(model, machine);
    machine.start();
    void model.start();
    const laidOut = layOut(lab, model, memory, panel);
    const { baseUrl } = app.serviceManager.serverSettings;
    void takeOver({ app, shell, terminals, laidOut, baseUrl: new URL(baseUrl).pathname });
  },
};

export default [plugin, eventsPlugin];
