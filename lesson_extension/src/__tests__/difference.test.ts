// @vitest-environment node
import { describe, expect, it } from 'vitest';

import {
  compareTexts,
  foldRows,
  differsOnlyInSpaces,
  markLine,
  pairLines,
  withVisibleSpaces,
  type DifferenceLine,
  type Row,
} from '../components/difference';

function drawn(lines: readonly DifferenceLine[]): string[] {
  const signs = { both: ' ', expected: '-', actual: '+' };
  return lines.map(
    ({ side, pieces }) =>
      signs[side] + pieces.map((p) => (p.differs ? `[${p.text}]` : p.text)).join(''),
  );
}

describe('lines', () => {
  it.each([
    ['the same', 'a\nb', 'a\nb', [' a', ' b']],
    ['a changed line', 'a\nhello\nc', 'a\nhullo\nc', [' a', '-h[e]llo', '+h[u]llo', ' c']],
    ['a missing line', 'a\nb\nc', 'a\nc', [' a', '-[b]', ' c']],
    ['an added line', 'a\nc', 'a\nb\nc', [' a', '+[b]', ' c']],
    ['nothing in common', 'a', 'b\nc', ['-[a]', '+[b]', '+[c]']],
    ['an empty text, which has one empty line', '', 'x', ['-', '+[x]']],
  ])('marks %s', (_, expected, actual, lines) => {
    expect(drawn(compareTexts(expected, actual))).toEqual(lines);
  });

  it('keeps every line of both sides, whatever they are', () => {
    const one = 'x\na\nb\na\nc\nx\n';
    const other = 'a\nc\nb\na\na\n\nx';
    const lines = compareTexts(one, other);
    const side = (name: DifferenceLine['side']): string =>
      lines
        .filter((line) => line.side === name || line.side === 'both')
        .map((line) => line.pieces.map((piece) => piece.text).join(''))
        .join('\n');
    expect(side('expected')).toBe(one);
    expect(side('actual')).toBe(other);
  });

  it('shows both sides whole when there are too many lines to compare', () => {
    const many = Array.from({ length: 2000 }, (_, k) => String(k)).join('\n');
    const others = many.replace(/^/gm, '-');
    expect(compareTexts(many, others)).toHaveLength(4000);
    expect(compareTexts(many, `${many}\nmore`)).toHaveLength(2001);
  });
});

describe('side by side', () => {
  function sides(left: string, right: string): string[] {
    const text = (side: Row['left']): string =>
      side === null
        ? '~'
        : `${String(side.number)}${side.pieces.map((piece) => piece.text).join('')}`;
    return pairLines(compareTexts(left, right)).map(
      (row) => `${text(row.left)}|${text(row.right)}`,
    );
  }

  it.each([
    ['a changed line', 'a\nb\nc', 'a\nX\nc', ['1a|1a', '2b|2X', '3c|3c']],
    ['lines that one side lacks', 'a\nb\nc\nd', 'a\nd', ['1a|1a', '2b|~', '3c|~', '4d|2d']],
    ['more lines than stood there', 'a\nb\nd', 'a\nX\nY\nd', ['1a|1a', '2b|2X', '~|3Y', '3d|4d']],
  ])('pairs %s', (_, left, right, rows) => {
    expect(sides(left, right)).toEqual(rows);
  });

  it('folds equal lines far from a difference', () => {
    const lines = Array.from({ length: 20 }, (_, k) => String(k));
    const rows = pairLines(compareTexts(lines.join('\n'), lines.join('\n').replace('10', 'ten')));
    const groups = foldRows(rows, 3);
    expect(groups.map((group) => [group.isFolded, group.rows.length])).toEqual([
      [true, 7],
      [false, 7],
      [true, 6],
    ]);
  });
});

describe('one line', () => {
  it('marks the middle that differs', () => {
    expect(markLine('abXcd', 'abYYcd').map((piece) => piece.text)).toEqual(['ab', 'X', 'cd']);
  });

  it('counts no letter twice', () => {
    const text = markLine('aa', 'aaa')
      .map((piece) => piece.text)
      .join('');
    expect(text).toBe('aa');
  });
});

it('sees that only white space differs, and can show it', () => {
  expect(differsOnlyInSpaces('a b', 'a  b\n')).toBe(true);
  expect(differsOnlyInSpaces('a', 'a')).toBe(false);
  expect(differsOnlyInSpaces('a', 'b')).toBe(false);
  expect(withVisibleSpaces('a\t b\r')).toBe('a→·b␍');
});
