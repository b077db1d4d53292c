/**
 * The page's first script: a terminal at once, and then JupyterLab, in the first pause of the typing.
 *
 * JupyterLab takes some seconds to start in a browser; the shell is there after a fraction of one.
 * What the server says of it stands in the configuration of JupyterLab's page.
 */
import { pickLocale } from '../locale';
import { placeKey, readChosenTheme } from './contract';
import { atPause } from './pause';
import { firstPlace, keptPlace, type Beside } from './place';
import './style.css';
import { showEarlyView } from './view';

/** As the server writes it (`hexhub_lesson/early_view.py`). */
interface EarlyConfig {
  readonly baseUrl: string;
  readonly terminal: string;
  readonly beside: Beside;
}

/** Milliseconds after which JupyterLab is seen whatever became of it. */
const COVERED_AT_MOST_MS = 20_000;

const WORDS = {
  en: {
    waiting: 'The lesson is opening. You can already type in the terminal.',
    terminal: 'Terminal',
  },
  ru: { waiting: 'Урок открывается. В терминале уже можно работать.', terminal: 'Терминал' },
};

function readKept(baseUrl: string): string | null {
  try {
    return window.localStorage.getItem(placeKey(baseUrl));
  } catch {
    return null; // storage is refused
  }
}

function show({ baseUrl, terminal, beside }: EarlyConfig, startLab: () => void): void {
  const socket = window.hexhubSocket;
  if (socket === undefined) {
    startLab();
    return;
  }
  const page = { width: window.innerWidth, height: window.innerHeight };
  const isSystemDark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  const isLight = readChosenTheme()?.isLight ?? !isSystemDark;
  const { languages } = navigator;
  const { cookie } = document;
  const query = window.location.search;
  const locale = pickLocale({ cookies: cookie, lab: '', query, browser: languages });
  const words = WORDS[locale === 'ru' ? 'ru' : 'en'];
  const pause = atPause(window.hexhubFetchLab ?? ((): void => undefined), startLab);
  const view = showEarlyView({
    terminal,
    socket,
    place:
      keptPlace(readKept(baseUrl), page) ?? firstPlace(page, beside, isLight ? 'light' : 'dark'),
    waiting: words.waiting,
    label: words.terminal,
    onShown: pause.onShell,
    onUsed: pause.onKey,
    onLeft: startLab,
  });
  window.hexhubEarly = view;
  window.setTimeout(view.uncover, COVERED_AT_MOST_MS);
}

const startLab = window.hexhubStartLab ?? ((): void => undefined);
try {
  const page = document.getElementById('jupyter-config-data')?.textContent ?? '';
  const { hexhubEarly } = JSON.parse(page) as { readonly hexhubEarly: EarlyConfig };
  show(hexhubEarly, startLab);
} catch (error) {
  startLab();
  throw error;
}
