// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { compareTexts } from '../components/difference';
import { sample } from './contract';

interface Case {
  readonly expected: string;
  readonly actual: string;
  readonly lines: readonly string[];
}

describe('the golden differences, which the terminal shows too', () => {
  const signs = { both: ' ', expected: '-', actual: '+' };
  const cases = sample('differences/lines') as unknown as readonly Case[];

  it.each(cases)('compares $expected with $actual', ({ expected, actual, lines }) => {
    const drawn = compareTexts(expected, actual).map(
      ({ side, pieces }) =>
        signs[side] + pieces.map((p) => (p.differs ? `[${p.text}]` : p.text)).join(''),
    );
    expect(drawn).toEqual(lines);
  });
});
