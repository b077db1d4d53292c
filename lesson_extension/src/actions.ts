/**
 * What a block of code in a lesson offers, read from the words behind its fence; pure.
 *
 * The words come from a lesson, and whoever wrote it may want more than a lesson should. So the list
 * of actions is closed, none of them acts before the student presses its button, and words that
 * are not understood make a plain block of code.
 */

/** What the button of a block does. */
export type BlockAction =
  | { readonly kind: 'copy' }
  /** Types the code into the lesson's terminal, where the student sees it. */
  | { readonly kind: 'run' }
  /** Opens a file below the home folder; `line` counts from 1. */
  | { readonly kind: 'open'; readonly path: string; readonly line: number | null }
  /** Shows what a port of the machine answers. */
  | { readonly kind: 'preview'; readonly port: number };

/** A block of code: its language for colours (may be empty), and its action. */
export interface CodeBlock {
  readonly language: string;
  readonly action: BlockAction | null;
}

const SHELLS: ReadonlySet<string> = new Set(['bash', 'sh', 'shell', 'zsh', 'console']);
const OPEN = /^open:(?<path>[^:]{1,200})(?::(?<line>[1-9]\d{0,6}))?$/;
const PREVIEW = /^preview:(?<port>[1-9]\d{0,4})$/;
/** Controls but tab and line feed, and signs that turn the direction of writing. */
// eslint-disable-next-line no-control-regex -- these are what is refused
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const MAX_PORT = 65_535;

/** Tell whether a path stays below the folder that it starts in, and is one that people type. */
export function isInnerPath(path: string): boolean {
  const parts = path.split('/');
  return (
    // eslint-disable-next-line no-control-regex -- these are what is refused
    !/[\u0000-\u001f\u007f\\]/.test(path) &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

function readFirst(word: string): BlockAction | null {
  const open = OPEN.exec(word)?.groups;
  if (open?.path !== undefined && isInnerPath(open.path)) {
    return { kind: 'open', path: open.path, line: open.line ? Number(open.line) : null };
  }
  const port = Number(PREVIEW.exec(word)?.groups?.port ?? 0);
  return port > 0 && port <= MAX_PORT ? { kind: 'preview', port } : null;
}

function readSecond(language: string, word: string | undefined): BlockAction | null {
  if (word === 'copy') {
    return { kind: 'copy' };
  }
  return word === 'run' && SHELLS.has(language.toLowerCase()) ? { kind: 'run' } : null;
}

/**
 * Read the words behind a fence: a language and `run` (shells only) or `copy`, or `open:PATH`,
 * `open:PATH:LINE`, `preview:PORT`.
 */
export function readInfo(info: string): CodeBlock {
  const [first = '', second, ...rest] = info.trim().split(/\s+/);
  if (first.includes(':')) {
    const action = second === undefined ? readFirst(first) : null;
    return { language: '', action };
  }
  return { language: first, action: rest.length === 0 ? readSecond(first, second) : null };
}

/**
 * Give what is typed into a terminal to run `code`, or null where it has signs that a terminal
 * would act on by itself (an escape, a Ctrl-C), which nobody can see before pressing the button.
 */
export function keysOf(code: string): string | null {
  const text = code.replace(/\r\n?/g, '\n').replace(/^\n+|\s+$/g, '');
  if (text === '' || UNSEEN.test(text)) {
    return null;
  }
  return `${text.replace(/\n/g, '\r')}\r`;
}
