/** What differs between two texts, in the smallest words; pure. */

/** A piece of a line; `differs` marks what the other side does not have. */
export interface Piece {
  readonly text: string;
  readonly differs: boolean;
}

/** One line of a difference: on both sides, only expected, or only found. */
export interface DifferenceLine {
  readonly side: 'both' | 'expected' | 'actual';
  readonly pieces: readonly Piece[];
}

/** Lines above which each side is shown as a whole: the table below grows with their product. */
const MAX_LINES = 300;

function plain(text: string): readonly Piece[] {
  return [{ text, differs: false }];
}

/** Mark the middle part of two lines that neither their common start nor their common end covers. */
export function markLine(one: string, other: string): readonly Piece[] {
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) {
    start += 1;
  }
  let end = 0;
  while (end < shorter - start && one[one.length - 1 - end] === other[other.length - 1 - end]) {
    end += 1;
  }
  const pieces: readonly Piece[] = [
    { text: one.slice(0, start), differs: false },
    { text: one.slice(start, one.length - end), differs: true },
    { text: one.slice(one.length - end), differs: false },
  ];
  return pieces.filter((piece) => piece.text !== '');
}

/** Show spaces, tabs and returns as signs. */
export function withVisibleSpaces(text: string): string {
  return text.replace(/ /g, '·').replace(/\t/g, '→').replace(/\r/g, '␍');
}

/** Tell whether two different texts are the same but for white space. */
export function differsOnlyInSpaces(expected: string, actual: string): boolean {
  return expected !== actual && expected.replace(/\s+/g, '') === actual.replace(/\s+/g, '');
}

function longestCommon(one: readonly string[], other: readonly string[]): number[][] {
  const table = Array.from({ length: one.length + 1 }, () =>
    new Array<number>(other.length + 1).fill(0),
  );
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) {
      const row = table[i];
      const below = table[i + 1];
      if (row && below) {
        row[j] =
          one[i] === other[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
      }
    }
  }
  return table;
}

/** Pair runs of missing and added lines, so that within a pair only what differs is marked. */
function markRuns(missing: readonly string[], added: readonly string[]): DifferenceLine[] {
  const mark = (line: string, partner: string | undefined): readonly Piece[] =>
    partner === undefined ? [{ text: line, differs: true }] : markLine(line, partner);
  return [
    ...missing.map((line, k): DifferenceLine => ({
      side: 'expected',
      pieces: mark(line, added[k]),
    })),
    ...added.map((line, k): DifferenceLine => ({ side: 'actual', pieces: mark(line, missing[k]) })),
  ];
}

/**
 * Compare two texts line by line.
 *
 * @returns Lines in reading order; what is missing comes before what stands there instead. Texts of
 *   more than 300 lines are not compared: all of the expected one, then all of the other.
 */
export function compareTexts(expected: string, actual: string): readonly DifferenceLine[] {
  const one = expected.split('\n');
  const other = actual.split('\n');
  if (Math.max(one.length, other.length) > MAX_LINES) {
    return [
      ...one.map((line): DifferenceLine => ({ side: 'expected', pieces: plain(line) })),
      ...other.map((line): DifferenceLine => ({ side: 'actual', pieces: plain(line) })),
    ];
  }
  const table = longestCommon(one, other);
  const lines: DifferenceLine[] = [];
  let missing: string[] = [];
  let added: string[] = [];
  const flush = (): void => {
    lines.push(...markRuns(missing, added));
    missing = [];
    added = [];
  };
  let i = 0;
  let j = 0;
  while (i < one.length || j < other.length) {
    const left = one[i];
    const right = other[j];
    if (left !== undefined && left === right) {
      flush();
      lines.push({ side: 'both', pieces: plain(left) });
      i += 1;
      j += 1;
    } else if (
      right === undefined ||
      (left !== undefined && (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0))
    ) {
      missing.push(left ?? '');
      i += 1;
    } else {
      added.push(right);
      j += 1;
    }
  }
  flush();
  return lines;
}
