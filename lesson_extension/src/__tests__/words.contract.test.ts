import { expect, it } from 'vitest';

import { headlineOf } from '../components/OutcomeView';
import { textsIn } from '../texts';
import { sample } from './contract';
import { makeOutcome } from './fakes';

const kinds = ['passed', 'failed', 'error', 'ungradable', 'cancelled'] as const;

it.each(['en', 'ru'])('says of a result in %s what the terminal says', (locale) => {
  const words = sample('words/results')[locale] as Readonly<Record<string, string>>;
  const texts = textsIn(locale);
  expect(texts).toMatchObject({
    expected: words.expected,
    actual: words.actual,
    regraded: words.regraded,
  });
  for (const kind of kinds) {
    expect(headlineOf(makeOutcome(kind), texts)).toBe(words[kind]);
  }
});
