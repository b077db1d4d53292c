// @vitest-environment node
import { describe, expect, it } from 'vitest';

import {
  readAttempt,
  readFailure,
  readFiles,
  readHint,
  readLesson,
  readMachine,
  readMemory,
  readServer,
  readSolution,
  readStarter,
  WireInvalid,
} from '../wire';
import { sample, sampleNames } from './contract';

const READERS: Readonly<Record<string, (json: unknown) => unknown>> = {
  attempt_failed: readAttempt,
  attempt_queued: readAttempt,
  attempt_regraded: readAttempt,
  error: readFailure,
  files: readFiles,
  hint: readHint,
  lesson: readLesson,
  machine: readMachine,
  memory: readMemory,
  server: readServer,
  solution: readSolution,
  starter: readStarter,
};
/** Samples of answers that only the hub's pages, the server extension or the terminal ask for. */
const NOT_OURS = ['courses', 'starter_file'];

function change(name: string, edit: (json: Record<string, unknown>) => void): unknown {
  const json = sample(name);
  edit(json);
  return json;
}

describe('golden samples', () => {
  it.each(sampleNames().filter((name) => !NOT_OURS.includes(name)))(
    'reads %s.json with everything that the panel shows',
    (name) => {
      const read = READERS[name];
      expect(read, `${name}.json has no reader`).toBeDefined();
      const json = sample(name);
      const found = read?.(json);
      if (typeof found === 'object' && !Array.isArray(found)) {
        expect(json).toMatchObject(found ?? {});
      } else {
        // Readers of a bare list or word give what stands inside.
        expect(Object.values(json)).toContainEqual(found);
      }
    },
  );

  it('keeps the texts of a test as they came', () => {
    const attempt = readAttempt(sample('attempt_failed'));
    expect(attempt.outcome?.tests[1]).toMatchObject({
      outcome: 'failed',
      expected: 'Hello',
      actual: 'Welcome to nginx!',
    });
  });

  it('gives a locked step without a task', () => {
    const locked = readLesson(sample('lesson')).steps[1];
    expect(locked).toMatchObject({ state: 'locked', task: null });
  });
});

describe('refused JSON', () => {
  it('names the place, what was found and what is allowed', () => {
    const json = change('lesson', (lesson) => {
      (lesson.steps as { state: string }[])[0]!.state = 'half';
    });
    expect(() => readLesson(json)).toThrow(
      'lesson.steps[0].state: found "half"; allowed: locked, open, passed.',
    );
  });

  it('refuses a missing field', () => {
    const json = change('hint', (hint) => delete hint.total);
    expect(() => readHint(json)).toThrow('hint.total: found nothing; allowed: a number.');
  });

  it.each([null, [], 'text', 7])('refuses %j where an object belongs', (json) => {
    expect(() => readLesson(json)).toThrow(WireInvalid);
  });

  it('refuses another version, and says to reload', () => {
    const json = change('attempt_queued', (attempt) => (attempt.version = 2));
    expect(() => readAttempt(json)).toThrow('attempt.version: found 2; allowed: 1; reload');
  });

  it('refuses an attempt that is done and has no outcome', () => {
    const json = change('attempt_failed', (attempt) => (attempt.outcome = null));
    expect(() => readAttempt(json)).toThrow('attempt.outcome');
  });

  it('refuses a list that is none, and a truth that is a word', () => {
    expect(() => readLesson(change('lesson', (json) => (json.steps = {})))).toThrow('a list');
    const json = change('solution', (solution) => {
      (solution.files as { is_binary: unknown }[])[0]!.is_binary = 'yes';
    });
    expect(() => readSolution(json)).toThrow('solution.files[0].is_binary');
  });

  it('cuts long values in the message', () => {
    const json = change('hint', (hint) => (hint.taken = 'x'.repeat(5000)));
    expect(() => readHint(json)).toThrow(/^.{0,140}$/);
  });
});

it('ignores fields that it does not know, so that a newer server can be read', () => {
  const json = change('hint', (hint) => (hint.colour = 'green'));
  expect(readHint(json)).toEqual(sample('hint'));
});
