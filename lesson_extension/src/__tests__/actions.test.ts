// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { keysOf, readInfo } from '../actions';
import { findPlaces } from '../places';

describe('words behind a fence', () => {
  it.each([
    ['bash run', 'bash', { kind: 'run' }],
    ['python copy', 'python', { kind: 'copy' }],
    ['open:work/app.py:12', '', { kind: 'open', path: 'work/app.py', line: 12 }],
    ['open:work/app.py', '', { kind: 'open', path: 'work/app.py', line: null }],
    ['preview:8000', '', { kind: 'preview', port: 8000 }],
    ['python', 'python', null],
    ['', '', null],
  ])('%s offers what it says', (info, language, action) => {
    expect(readInfo(info)).toEqual({ language, action });
  });

  it.each([
    'python run',
    'bash run now',
    'bash erase',
    'open:/etc/passwd',
    'open:work/../../x',
    'open:work/a.py:0',
    'open:work//a',
    'preview:0',
    'preview:70000',
    'preview:8000/x',
    'javascript:alert(1)',
    'command:terminal:create-new',
  ])('%s offers nothing', (info) => {
    expect(readInfo(info).action).toBeNull();
  });
});

describe('typing into a terminal', () => {
  it('presses Return after each line', () => {
    expect(keysOf('cd work\nls\n')).toBe('cd work\rls\r');
  });

  it.each(['ls\u001b[2J', 'ls\u0003', 'l\u0000s', '\u202els', 'ls\u009b', ' \n '])(
    'sends nothing that cannot be seen: %j',
    (code) => {
      expect(keysOf(code)).toBeNull();
    },
  );
});

describe('places in files', () => {
  it.each([
    ['File "/home/student/work/app.py", line 3, in f', 'work/app.py', 3],
    ['File "/run/check/x/work/lib/a.py", line 12', 'work/lib/a.py', 12],
    ['receipt.py:14: AssertionError', 'work/receipt.py', 14],
    ['raised ValueError (receipt.py, line 13)', 'work/receipt.py', 13],
    ['./src/main.rs:7:12', 'work/src/main.rs', 7],
  ])('finds one in %j', (text, path, line) => {
    expect(findPlaces(text).find((piece) => piece.place)?.place).toEqual({ path, line });
  });

  it.each(['at 10:30', 'File "/usr/lib/python3/json.py", line 4', '../x.py:3', 'http://a.b:80'])(
    'finds none in %j',
    (text) => {
      expect(findPlaces(text).every((piece) => piece.place === null)).toBe(true);
    },
  );

  it('loses no letter', () => {
    const text = 'a.py:1 and b.py:2\nFile "c.py", line 3, and /etc/x.py:4';
    const joined = findPlaces(text)
      .map((piece) => piece.text)
      .join('');
    expect(joined).toBe(text);
  });
});
