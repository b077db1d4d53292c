// @vitest-environment node
import { expect, it } from 'vitest';

import { localeCookie, pickLocale, type LocaleSources } from '../locale';
import { textsIn } from '../texts';

const NOTHING: LocaleSources = { cookies: '', lab: '', query: '', browser: [] };

it.each<[string, Partial<LocaleSources>, string]>([
  ['nothing says anything', {}, 'en'],
  ['the browser reads Russian', { browser: ['ru-RU', 'en'] }, 'ru'],
  ['JupyterLab is Russian', { lab: 'ru-RU', browser: ['en'] }, 'ru'],
  ['JupyterLab is what it starts as', { lab: 'en', browser: ['ru'] }, 'ru'],
  ['the address names one', { query: '?locale=ru', lab: 'fr' }, 'ru'],
  ['the student chose one', { cookies: 'a=b; hexhub_locale=en', query: '?locale=ru' }, 'en'],
  ['the cookie is nonsense', { cookies: 'hexhub_locale=../../x', browser: ['ru'] }, 'ru'],
  ['another cookie ends alike', { cookies: 'my_hexhub_locale=ru' }, 'en'],
])('picks the language when %s', (_, sources, locale) => {
  expect(pickLocale({ ...NOTHING, ...sources })).toBe(locale);
});

it('keeps the choice where the pages of HexHub look for it', () => {
  expect(localeCookie('ru', '/hub/')).toMatch(/^hexhub_locale=ru;path=\/;/);
  expect(localeCookie('ru', '/school/hub/')).toContain(';path=/school/;');
  expect(localeCookie('ru', '')).toContain(';path=/;');
  expect(localeCookie('ru', '/hub/')).not.toContain('domain');
  expect(localeCookie('ru', '/hub/', 'https://learn.example.org:8443')).toContain(
    ';domain=learn.example.org;',
  );
});

it('gives the texts of the language, of its base, or English', () => {
  expect(textsIn('ru').check).toBe('Проверить');
  expect(textsIn('ru-RU').check).toBe('Проверить');
  expect(textsIn('de').check).toBe('Check');
});

it.each(['en', 'ru'])('has words for everything in %s, and in no other language', (locale) => {
  for (const [key, text] of Object.entries(textsIn(locale))) {
    const words = typeof text === 'function' ? (text as (...a: number[]) => string)(2, 3) : text;
    expect(/[а-я]/i.test(words), `${key}: ${words}`).toBe(locale === 'ru');
  }
});

it.each([
  [1, '0 из 1 шага'],
  [3, '0 из 3 шагов'],
  [11, '0 из 11 шагов'],
  [21, '0 из 21 шага'],
])('bends the Russian word for %d steps', (total, words) => {
  expect(textsIn('ru').stepsDone(0, total)).toBe(words);
});
