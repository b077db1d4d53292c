/** The first view drawn: a page in JupyterLab's colours with a terminal where its own will stand. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';

import { listenTo } from './connection';
import type { EarlySocket, EarlyView, TerminalPlace } from './contract';

/** As JupyterLab's own terminal looks where nothing is configured (`@jupyterlab/terminal`). */
const LOOK = {
  fontFamily: 'Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSize: 13,
  lineHeight: 1,
  cursorBlink: true,
  /** JupyterLab's shows a shell's colours as they are; here they can be read. */
  minimumContrastRatio: 4.5,
};
/** What JupyterLab's terminal has between its edge and its text. */
const PADDING_PX = 8;

/** Least width at the right of the terminal in which a lesson is seen. */
const MIN_LESSON_WIDTH = 200;
/** Lengths of the grey lines that stand for the lesson's text, in percent. */
const LINES = [60, 100, 0, 92, 100, 78, 0, 96, 64];

/** What the view is made of. */
export interface ViewOptions {
  readonly terminal: string;
  readonly socket: EarlySocket;
  readonly place: TerminalPlace;
  /** Said where JupyterLab's other parts will be. */
  readonly waiting: string;
  /** Name of the terminal for who does not see it. */
  readonly label: string;
  /** Is called when the shell has shown something. */
  readonly onShown: () => void;
  /** Is called with each key, and each press of the mouse. */
  readonly onUsed: () => void;
  /** Is called when the view is gone. */
  readonly onLeft: () => void;
}

function makeBox(place: TerminalPlace, label: string): HTMLElement {
  const box = document.createElement('section');
  box.className = 'hx-early-terminal';
  box.setAttribute('aria-label', label);
  box.style.left = `${String(place.left)}px`;
  box.style.top = `${String(place.top)}px`;
  box.style.width = `${String(place.width)}px`;
  box.style.height = `${String(place.height)}px`;
  box.style.padding = `${String(PADDING_PX)}px`;
  box.style.background = place.background;
  return box;
}

/** Draw where the lesson will be: at the right of the terminal, grey lines for its text. */
function makeLesson({ place, waiting }: ViewOptions): HTMLElement {
  const lesson = document.createElement('div');
  lesson.className = 'hx-early-lesson';
  const left = place.left + place.width;
  const width = window.innerWidth - left;
  if (width >= MIN_LESSON_WIDTH) {
    lesson.style.left = `${String(left)}px`;
    for (const share of LINES) {
      const line = document.createElement('i');
      line.style.width = `${String(share)}%`;
      lesson.append(line);
    }
  }
  const said = document.createElement('p');
  said.setAttribute('role', 'status');
  said.textContent = waiting;
  lesson.prepend(said);
  return lesson;
}

function makePage(options: ViewOptions, box: HTMLElement): HTMLElement {
  const page = document.createElement('div');
  page.className = 'hx-early';
  page.style.background = options.place.background;
  page.style.color = options.place.foreground;
  page.append(makeLesson(options), box);
  return page;
}

/** Draw it, and connect its terminal. */
export function showEarlyView(options: ViewOptions): EarlyView {
  const { place, onShown, onUsed, onLeft } = options;
  const box = makeBox(place, options.label);
  const page = makePage(options, box);
  document.body.append(page);

  const connection = listenTo(options.socket, {
    onOutput: (text) => {
      emulator.write(text, onShown);
    },
    onOpen: () => {
      connection.resize(emulator.rows, emulator.cols);
    },
    onEnd: () => {
      leave();
    },
  });
  const emulator = new Terminal({
    ...LOOK,
    theme: {
      background: place.background,
      foreground: place.foreground,
      cursor: place.foreground,
      cursorAccent: place.background,
    },
  });
  const fit = new FitAddon();
  emulator.loadAddon(fit);
  emulator.open(box);
  fit.fit();

  let isUsed = false;
  let isReleased = false;
  const use = (): void => {
    isUsed = true;
    onUsed();
  };
  for (const kind of ['keydown', 'input', 'paste', 'pointerdown']) {
    box.addEventListener(kind, use, { capture: true });
  }
  // JupyterLab gives the keyboard to its parts while it draws them, below this terminal.
  const comeBack = ({ target }: FocusEvent): void => {
    if (!isReleased && target instanceof Node && !box.contains(target)) {
      emulator.focus();
    }
  };
  document.addEventListener('focusin', comeBack);
  // Whoever presses beside it wants to be there.
  const goElsewhere = ({ target }: PointerEvent): void => {
    if (target instanceof Node && !box.contains(target)) {
      isReleased = true;
      isUsed = false;
    }
  };
  document.addEventListener('pointerdown', goElsewhere, { capture: true });

  const leave = (): void => {
    isReleased = true;
    document.removeEventListener('focusin', comeBack);
    document.removeEventListener('pointerdown', goElsewhere, { capture: true });
    connection.close();
    emulator.dispose();
    page.remove();
    delete window.hexhubEarly;
    onLeft();
  };
  emulator.onData((text) => {
    connection.type(text);
  });
  emulator.focus();

  return {
    terminal: options.terminal,
    get isUsed() {
      return isUsed;
    },
    uncover: () => {
      page.classList.add('hx-uncovered');
    },
    release: () => {
      isReleased = true;
    },
    leave,
  };
}
