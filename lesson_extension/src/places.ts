/** Places in files that a text names, as tracebacks and compilers do; pure. */

/** A place in a file below the home folder; `line` counts from 1. */
export interface FilePlace {
  readonly path: string;
  readonly line: number;
}

/** A piece of a text; `place` where it names one. */
export interface PlacedText {
  readonly text: string;
  readonly place: FilePlace | null;
}

/** Where checks keep their copy of `~/work`; see `hexhub_check.harness`. */
const WORK = /^(?:.*\/)?work\//;
const PYTHON = /File "(?<path>[^"\n]{1,200})", line (?<line>\d{1,7})/;
const COLON = /(?<path2>[\w./~+-]{0,190}[\w+-]\.\w{1,8}):(?<line2>\d{1,7})(?::\d{1,5})?(?!\w)/;
const WORDS = /(?<path3>[\w./~+-]{0,190}[\w+-]\.\w{1,8}), line (?<line3>\d{1,7})/;
const ANY = new RegExp([PYTHON, WORDS, COLON].map((form) => form.source).join('|'), 'g');
/** Places that are looked for in one text: a long log is not a table of contents. */
const MAX_PLACES = 20;

/** Give the path below the home folder of a file that a run names, or null where it is elsewhere. */
function belowHome(path: string): string | null {
  const inWork = WORK.test(path) ? path.replace(WORK, '') : path.startsWith('/') ? null : path;
  const clean = inWork?.replace(/^\.\//, '') ?? '';
  const parts = clean.split('/');
  const isInside = parts.every((part) => part !== '' && part !== '..' && part !== '~');
  return isInside ? `work/${clean}` : null;
}

/** Cut a text into pieces, some of which name a place in one of the student's files. */
export function findPlaces(text: string): readonly PlacedText[] {
  const pieces: PlacedText[] = [];
  let end = 0;
  for (const match of text.matchAll(ANY)) {
    const groups = match.groups ?? {};
    const path = belowHome(groups.path ?? groups.path2 ?? groups.path3 ?? '');
    const line = Number(groups.line ?? groups.line2 ?? groups.line3);
    if (path === null || line < 1 || pieces.length >= 2 * MAX_PLACES) {
      continue;
    }
    if (match.index > end) {
      pieces.push({ text: text.slice(end, match.index), place: null });
    }
    pieces.push({ text: match[0], place: { path, line } });
    end = match.index + match[0].length;
  }
  if (end < text.length) {
    pieces.push({ text: text.slice(end), place: null });
  }
  return pieces;
}
