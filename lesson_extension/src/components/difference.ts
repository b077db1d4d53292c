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

/** Compare lines by the longest common run of them; the table grows with their product. */
function compareMiddle(one: readonly string[], other: readonly string[]): DifferenceLine[] {
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

/**
 * Compare two texts line by line.
 *
 * @returns Lines in reading order; what is missing comes before what stands there instead. Where
 *   more than 300 lines lie between the first difference and the last one, these are not compared:
 *   all of the expected ones, then all of the others.
 */
export function compareTexts(expected: string, actual: string): readonly DifferenceLine[] {
  const one = expected.split('\n');
  const other = actual.split('\n');
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) {
    start += 1;
  }
  let end = 0;
  while (end < shorter - start && one[one.length - 1 - end] === other[other.length - 1 - end]) {
    end += 1;
  }
  const same = (line: string): DifferenceLine => ({ side: 'both', pieces: plain(line) });
  return [
    ...one.slice(0, start).map(same),
    ...compareMiddle(one.slice(start, one.length - end), other.slice(start, other.length - end)),
    ...one.slice(one.length - end).map(same),
  ];
}

/** One side of a row; `number` counts the lines of that side from 1. */
export interface SideLine {
  readonly number: number;
  readonly pieces: readonly Piece[];
}

/** Two lines beside each other; null where a side has none. */
export interface Row {
  readonly left: SideLine | null;
  readonly right: SideLine | null;
  readonly isEqual: boolean;
}

/** Put compared lines beside each other: equal ones, and what differs in the order it comes. */
export function pairLines(lines: readonly DifferenceLine[]): readonly Row[] {
  const rows: Row[] = [];
  const count = { left: 0, right: 0 };
  let firstOpen = 0;
  for (const { side, pieces } of lines) {
    if (side === 'both') {
      count.left += 1;
      count.right += 1;
      rows.push({
        left: { number: count.left, pieces },
        right: { number: count.right, pieces },
        isEqual: true,
      });
      firstOpen = rows.length;
    } else if (side === 'expected') {
      count.left += 1;
      rows.push({ left: { number: count.left, pieces }, right: null, isEqual: false });
    } else {
      count.right += 1;
      const right = { number: count.right, pieces };
      const open = rows[firstOpen];
      if (open === undefined) {
        rows.push({ left: null, right, isEqual: false });
      } else {
        rows[firstOpen] = { ...open, right };
      }
      firstOpen += 1;
    }
  }
  return rows;
}

/** Rows that are shown, or a run of equal ones that is folded. */
export interface RowGroup {
  readonly isFolded: boolean;
  readonly rows: readonly Row[];
}

/** Fold runs of equal rows, but for `context` ones beside each difference. */
export function foldRows(rows: readonly Row[], context: number): readonly RowGroup[] {
  const isNear = rows.map((_, index) =>
    rows
      .slice(Math.max(0, index - context), index + context + 1)
      .some((neighbour) => !neighbour.isEqual),
  );
  const groups: RowGroup[] = [];
  let begin = 0;
  for (let index = 1; index <= rows.length; index += 1) {
    if (index === rows.length || isNear[index] !== isNear[begin]) {
      const run = rows.slice(begin, index);
      // A fold takes a line itself.
      groups.push({ isFolded: isNear[begin] === false && run.length > 1, rows: run });
      begin = index;
    }
  }
  return groups;
}
