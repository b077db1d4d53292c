import { describe, expect, it } from 'vitest';

import {
  compareTexts,
  differsOnlyInSpaces,
  markLine,
  withVisibleSpaces,
  type DifferenceLine,
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
    expect(compareTexts(many, `${many}\nmore`)).toHaveLength(4001);
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
