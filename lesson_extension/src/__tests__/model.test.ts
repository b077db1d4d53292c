// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FOLLOW_MS, LessonModel, REFRESH_MS, RETRY_MS } from '../model';
import { MachineStopped, Refused, Unreachable } from '../request';
import { nextOpenStep, type LessonState } from '../state';
import { WireInvalid, type Attempt } from '../wire';
import {
  defer,
  FakeApi,
  FakeMemory,
  finish,
  makeAttempt,
  makeLesson,
  makeOutcome,
  makeTest,
  withStep,
} from './fakes';

let api: FakeApi;
let memory: FakeMemory;
let saveDocuments: () => Promise<void>;
let files: Map<string, string>;
let keys: number;
let model: LessonModel;

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

function begin(): Promise<void> {
  model = new LessonModel({
    api,
    memory,
    locale: 'en',
    saveDocuments: () => saveDocuments(),
    readFile: (path) => Promise.resolve(files.get(path) ?? null),
    makeKey: () => {
      keys += 1;
      return `key${String(keys)}`;
    },
  });
  return model.start();
}

function spoken(states: readonly LessonState[]): string[] {
  const seen = new Map(states.map((s) => [s.announcement?.id, s.announcement?.what.kind]));
  return [...seen.values()].filter((kind) => kind !== undefined);
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-24T10:00:00Z') });
  api = new FakeApi();
  memory = new FakeMemory();
  saveDocuments = () => Promise.resolve();
  files = new Map();
  keys = 0;
});

afterEach(() => {
  model.dispose();
  vi.useRealTimers();
});

describe('opening', () => {
  it('opens the current step, with the theory unfolded, at the first visit', async () => {
    await begin();
    expect(model.state).toMatchObject({
      openStep: 'listens',
      isTheoryOpen: true,
      connection: { kind: 'online' },
    });
    expect((await model.ready).lesson.name).toBe('web-server');
  });

  it('keeps in mind that the theory was read', async () => {
    await begin();
    model.setTheoryOpen(false);
    model.dispose();
    await begin();
    expect(model.state.isTheoryOpen).toBe(false);
  });

  it('tells of no result that was there before', async () => {
    const old = finish(makeAttempt(), makeOutcome('failed'));
    api.current = withStep(makeLesson(), 'listens', { last_attempt: old });
    await begin();
    expect(model.state.attempts.listens).toEqual(old);
    expect(model.state.announcement).toBeNull();
  });

  it('asks again every few seconds while visible, and not while hidden', async () => {
    await begin();
    await vi.advanceTimersByTimeAsync(2 * REFRESH_MS);
    expect(api.calls).toHaveLength(3);
    model.setVisible(false);
    await vi.advanceTimersByTimeAsync(10 * REFRESH_MS);
    expect(api.calls).toHaveLength(3);
    model.setVisible(true);
    await settle();
    expect(api.calls).toHaveLength(4);
  });

  it('keeps the very same lesson while nothing changes, so that nothing is drawn anew', async () => {
    api.onLesson = () => Promise.resolve(makeLesson());
    await begin();
    const before = model.state.lesson;
    await vi.advanceTimersByTimeAsync(REFRESH_MS);
    expect(model.state.lesson).toBe(before);
  });

  it('asks for nothing after it was disposed', async () => {
    await begin();
    model.dispose();
    await vi.advanceTimersByTimeAsync(10 * REFRESH_MS);
    expect(api.calls).toHaveLength(1);
  });
});

describe('check', () => {
  it('saves the files first, then asks, then shows the result', async () => {
    const saved = defer<undefined>();
    const done = defer<Attempt>();
    saveDocuments = () => saved.promise;
    api.onAttempt = () => done.promise;
    await begin();
    const checking = model.check();
    expect(model.state.activity?.phase).toBe('saving');
    expect(api.calls).not.toContain('submit listens');
    saved.resolve(undefined);
    await settle();
    expect(api.calls).toContain('submit listens');
    expect(model.state.activity).toMatchObject({
      step: 'listens',
      phase: 'queued',
      position: 1,
      isJoined: false,
    });
    const result = finish(makeAttempt(), makeOutcome('failed', [makeTest({ outcome: 'failed' })]));
    done.resolve(result);
    await checking;
    expect(model.state.activity).toBeNull();
    expect(model.state.attempts.listens).toEqual(result);
    expect(model.state.announcement?.what).toEqual({ kind: 'result', attempt: result });
  });

  it('asks for nothing when the files could not be saved', async () => {
    saveDocuments = () => Promise.reject(new Error('disk full'));
    await begin();
    await model.check();
    expect(api.calls).not.toContain('submit listens');
    expect(model.state).toMatchObject({
      activity: null,
      problem: { code: 'save_failed', message: 'disk full' },
    });
  });

  it('asks once, however often Check is pressed', async () => {
    await begin();
    void model.check();
    void model.check();
    await settle();
    void model.check();
    await settle();
    expect(api.calls.filter((call) => call === 'submit listens')).toHaveLength(1);
  });

  it('counts the time from the press, not from when the server took it', async () => {
    const pressedMs = Date.now();
    saveDocuments = () => new Promise((resolve) => setTimeout(resolve, 3000));
    await begin();
    void model.check();
    await vi.advanceTimersByTimeAsync(3000);
    expect(model.state.activity).toMatchObject({ phase: 'queued', sinceMs: pressedMs });
  });

  it('follows an attempt of another tab that it was joined to', async () => {
    const joined = makeAttempt({ id: 'other', state: 'running', position: null });
    api.onSubmit = () => Promise.resolve(joined);
    await begin();
    void model.check();
    await settle();
    expect(model.state.activity).toMatchObject({ phase: 'running', isJoined: true });
    expect(api.calls).toContain('attempt other');
  });

  it('shows and follows an attempt that was begun in the terminal', async () => {
    await begin();
    const foreign = makeAttempt({ id: 'term', state: 'running', position: null });
    const done = defer<Attempt>();
    api.onAttempt = () => done.promise;
    api.current = withStep(makeLesson(), 'listens', { last_attempt: foreign });
    await vi.advanceTimersByTimeAsync(REFRESH_MS);
    expect(model.state.activity).toMatchObject({ step: 'listens', phase: 'running' });
    expect(model.canCheck('listens')).toBe(false);
    done.resolve(finish(foreign, makeOutcome('failed')));
    await settle();
    expect(model.state.announcement?.what.kind).toBe('result');
  });

  it('tells of a result once, though it comes from the wait and from the lesson', async () => {
    const states: LessonState[] = [];
    const result = finish(makeAttempt(), makeOutcome('failed'));
    api.onAttempt = () => {
      api.current = withStep(makeLesson(), 'listens', { last_attempt: result });
      return Promise.resolve(result);
    };
    await begin();
    model.changed.connect((_, state) => states.push(state));
    await model.check();
    await vi.advanceTimersByTimeAsync(3 * REFRESH_MS);
    expect(spoken(states)).toEqual(['running', 'result']);
  });

  it('keeps the place in the queue fresh while it waits', async () => {
    api.onAttempt = () => new Promise(() => undefined);
    api.onSubmit = () => Promise.resolve(makeAttempt({ position: 3 }));
    await begin();
    void model.check();
    await settle();
    expect(model.state.activity?.position).toBe(3);
    api.current = withStep(makeLesson(), 'listens', { last_attempt: makeAttempt({ position: 2 }) });
    await vi.advanceTimersByTimeAsync(REFRESH_MS);
    expect(model.state.activity).toMatchObject({ phase: 'queued', position: 2 });
  });

  it('does not spin when the server answers before the attempt is done', async () => {
    api.onAttempt = () => Promise.resolve(makeAttempt({ state: 'running' }));
    await begin();
    void model.check();
    await vi.advanceTimersByTimeAsync(3 * FOLLOW_MS);
    const asked = api.calls.filter((call) => call === 'attempt a1').length;
    expect(asked).toBeLessThanOrEqual(4);
  });

  it('never goes back from done to running by an older answer', async () => {
    const result = finish(makeAttempt(), makeOutcome('failed'));
    api.onAttempt = () => Promise.resolve(result);
    await begin();
    const slow = defer<ReturnType<typeof makeLesson>>();
    api.onLesson = () => slow.promise;
    await vi.advanceTimersByTimeAsync(REFRESH_MS);
    const checking = model.check();
    await settle();
    slow.resolve(withStep(makeLesson(), 'listens', { last_attempt: makeAttempt() }));
    await checking;
    expect(model.state.attempts.listens?.state).toBe('done');
  });

  it.each([null, 'serves', 'reads', 'unknown'])('refuses to check %s', async (name) => {
    await begin();
    await model.check(name);
    expect(api.calls).toEqual(['lesson en']);
  });

  it('shows the words of a refusal', async () => {
    api.onSubmit = () => Promise.reject(new Refused('step_locked', 'Locked.'));
    await begin();
    await model.check();
    expect(model.state.problem).toEqual({ code: 'step_locked', message: 'Locked.' });
    expect(model.state.activity).toBeNull();
  });
});

describe('passing', () => {
  const passed = withStep(withStep(makeLesson(), 'listens', { state: 'passed' }), 'serves', {
    state: 'open',
    task: 'Serve.',
  });

  it('opens the next step and says so', async () => {
    const result = finish(makeAttempt(), makeOutcome('passed', [makeTest()]));
    api.onAttempt = () => {
      api.current = passed;
      return Promise.resolve(result);
    };
    await begin();
    await model.check();
    expect(model.state).toMatchObject({
      openStep: 'serves',
      notice: { kind: 'step_passed', step: 'listens', next: 'serves' },
      announcement: { what: { kind: 'notice' } },
    });
  });

  it('leaves alone a step that the student looks at meanwhile', async () => {
    await begin();
    model.openStep('reads');
    api.current = passed;
    await vi.advanceTimersByTimeAsync(REFRESH_MS);
    expect(model.state.openStep).toBe('reads');
    expect(model.state.notice).toMatchObject({ step: 'listens' });
  });

  it('ends with the finished notice after the last step', async () => {
    api.current = withStep(withStep(passed, 'serves', { state: 'passed' }), 'reads', {
      state: 'open',
      task: 'Read.',
    });
    await begin();
    expect(model.state.openStep).toBe('reads');
    api.onDone = () => {
      api.current = withStep(api.current, 'reads', { state: 'passed' });
      return Promise.resolve(api.current);
    };
    await model.markDone();
    expect(api.calls).toContain('done reads');
    expect(model.state).toMatchObject({ openStep: null, notice: { kind: 'finished' } });
  });

  it('is not undone by an answer that was asked for before', async () => {
    api.current = withStep(makeLesson(), 'listens', { has_check: false });
    await begin();
    const slow = defer<ReturnType<typeof makeLesson>>();
    const stale = api.current;
    api.onLesson = () => slow.promise;
    await vi.advanceTimersByTimeAsync(REFRESH_MS);
    api.onDone = () => Promise.resolve(passed);
    void model.markDone();
    await settle();
    api.onLesson = () => Promise.resolve(passed);
    slow.resolve(stale);
    await settle();
    expect(model.state.lesson?.steps[0]?.state).toBe('passed');
  });

  it('opens the next open step on wish, first after the one that is open', () => {
    const lesson = withStep(passed, 'reads', { state: 'open' });
    expect(nextOpenStep(lesson, 'serves')).toBe('reads');
    expect(nextOpenStep(lesson, 'reads')).toBe('serves');
    expect(nextOpenStep(makeLesson(), 'listens')).toBeNull();
  });
});

describe('hints and solution', () => {
  it('takes a hint that may be had, and shows it', async () => {
    const next = { is_available: true, reason: null };
    api.current = withStep(makeLesson(), 'listens', { hints: { total: 1, taken: [], next } });
    api.onHint = () => {
      api.current = withStep(makeLesson(), 'listens', {
        hints: { total: 1, taken: ['Look.'], next: null },
      });
      return Promise.resolve({ version: 1, step: 'listens', hint: 'Look.', taken: 1, total: 1 });
    };
    await begin();
    await model.takeHint();
    expect(model.state.lesson?.steps[0]?.hints.taken).toEqual(['Look.']);
    expect(model.state.announcement?.what.kind).toBe('hint');
  });

  it('asks for no hint that may not be had', async () => {
    const next = { is_available: false, reason: 'After 1 more check.' };
    api.current = withStep(makeLesson(), 'listens', { hints: { total: 1, taken: [], next } });
    await begin();
    await model.takeHint();
    expect(api.calls).toEqual(['lesson en']);
  });

  it('shows and hides the solution', async () => {
    await begin();
    await model.showSolution();
    expect(model.state.solution?.script).toBe('nginx\n');
    model.hideSolution();
    expect(model.state.solution).toBeNull();
  });

  it('is free again after a refusal', async () => {
    api.onSolution = () => Promise.reject(new Refused('solution_locked', 'Not yet.'));
    await begin();
    await model.showSolution();
    expect(model.state).toMatchObject({ busy: null, problem: { code: 'solution_locked' } });
  });
});

describe('away', () => {
  it('says so, tries again with longer pauses, and comes back by itself', async () => {
    api.onLesson = () => Promise.reject(new Unreachable('away'));
    await begin();
    expect(model.state.connection).toEqual({
      kind: 'offline',
      retryAtMs: Date.now() + RETRY_MS.first,
    });
    await vi.advanceTimersByTimeAsync(RETRY_MS.first);
    expect(model.state.connection).toMatchObject({ retryAtMs: Date.now() + 2 * RETRY_MS.first });
    api.onLesson = () => Promise.resolve(makeLesson());
    await vi.advanceTimersByTimeAsync(2 * RETRY_MS.first);
    expect(model.state.connection.kind).toBe('online');
    expect(model.state.lesson).not.toBeNull();
  });

  it('never waits longer than the longest pause', async () => {
    api.onLesson = () => Promise.reject(new Unreachable('away'));
    await begin();
    await vi.advanceTimersByTimeAsync(20 * RETRY_MS.last);
    const { connection } = model.state;
    expect(connection.kind === 'offline' && connection.retryAtMs - Date.now()).toBeLessThanOrEqual(
      RETRY_MS.last,
    );
    expect(api.calls.length).toBeGreaterThan(18);
  });

  it('sends a check that could not be sent when the connection is back, with the same key', async () => {
    const keysSent: string[] = [];
    api.onSubmit = (step, key) => {
      keysSent.push(key);
      return keysSent.length === 1
        ? Promise.reject(new Unreachable('away'))
        : Promise.resolve(makeAttempt({ step, state: 'running' }));
    };
    await begin();
    void model.check();
    await settle();
    expect(model.state.connection.kind).toBe('offline');
    expect(model.state.activity?.phase).toBe('offline');
    await vi.advanceTimersByTimeAsync(RETRY_MS.first);
    expect(keysSent).toEqual(['key1', 'key1']);
    expect(model.state.activity).toMatchObject({ phase: 'running', isJoined: false });
  });

  it('does not send a check that was cancelled while it waited for the connection', async () => {
    api.onSubmit = () => Promise.reject(new Unreachable('away'));
    await begin();
    const checking = model.check();
    await settle();
    await model.cancel();
    await checking;
    expect(model.state.activity).toBeNull();
    await vi.advanceTimersByTimeAsync(3 * RETRY_MS.first);
    expect(api.calls.filter((call) => call.startsWith('submit'))).toHaveLength(1);
  });

  it('cancels what the server has, and says so', async () => {
    await begin();
    void model.check();
    await settle();
    void model.cancel();
    expect(model.state.activity?.phase).toBe('cancelling');
    await settle();
    expect(api.calls).toContain('cancel a1');
    expect(model.state.activity).toBeNull();
    expect(model.state.attempts.listens?.outcome?.outcome).toBe('cancelled');
  });

  it('cancels at the server what arrived after the student did not want it any more', async () => {
    const arrived = defer<Attempt>();
    api.onSubmit = () => arrived.promise;
    await begin();
    void model.check();
    await settle();
    await model.cancel();
    arrived.resolve(makeAttempt());
    await settle();
    expect(api.calls).toContain('cancel a1');
  });

  it('lays the student’s own files beside the author’s', async () => {
    files.set('work/a.py', 'mine\n');
    api.onSolution = () =>
      Promise.resolve({
        version: 1,
        script: null,
        files: [
          { path: 'a.py', text: 'theirs\n', is_binary: false },
          { path: 'b.py', text: 'theirs\n', is_binary: false },
        ],
      });
    await begin();
    await model.showSolution();
    expect(model.state.yours).toEqual({ 'a.py': 'mine\n', 'b.py': null });
  });

  it('gives earlier attempts when they are asked for', async () => {
    const old = finish(makeAttempt({ id: 'a0' }), makeOutcome('failed'));
    api.onAttempts = () => Promise.resolve([old]);
    await begin();
    await model.loadHistory('listens');
    expect(model.state.history).toEqual({ listens: [old] });
  });

  it('goes on following an attempt when the connection is back', async () => {
    const answers = [() => Promise.reject(new Unreachable('away'))] as (() => Promise<Attempt>)[];
    const result = finish(makeAttempt(), makeOutcome('failed'));
    api.onAttempt = () => (answers.shift() ?? (() => Promise.resolve(result)))();
    await begin();
    void model.check();
    await settle();
    expect(model.state.activity?.phase).toBe('queued');
    await vi.advanceTimersByTimeAsync(2 * RETRY_MS.first);
    expect(model.state.attempts.listens).toEqual(result);
    expect(model.state.connection.kind).toBe('online');
  });

  it('gives up an attempt that the server does not know', async () => {
    api.onAttempt = () => Promise.reject(new Refused('attempt_not_found', 'Gone.'));
    await begin();
    await model.check();
    expect(model.state.activity).toBeNull();
    expect(model.state.problem?.code).toBe('attempt_not_found');
  });

  it('says when the machine is stopped', async () => {
    await begin();
    api.onLesson = () => Promise.reject(new MachineStopped());
    await vi.advanceTimersByTimeAsync(REFRESH_MS);
    expect(model.state.connection.kind).toBe('stopped');
  });

  it('says that an answer was not understood, and forgets it when the next one is', async () => {
    api.onLesson = () => Promise.reject(new WireInvalid('lesson', 'nothing', 'an object'));
    await begin();
    expect(model.state.problem?.code).toBe('unexpected_answer');
    api.onLesson = () => Promise.resolve(makeLesson());
    await model.refresh();
    expect(model.state.problem).toBeNull();
  });
});

it('asks for the lesson again in another language', async () => {
  await begin();
  await model.setLocale('ru');
  expect(api.calls).toEqual(['lesson en', 'lesson ru']);
  expect(model.state.locale).toBe('ru');
});

it('shows a result that is known already in the new language too', async () => {
  const attempt = makeAttempt({ id: 'known' });
  const named = (name: string): Attempt =>
    finish(attempt, makeOutcome('failed', [makeTest({ name })]));
  api.onLesson = (locale) =>
    Promise.resolve(
      withStep(makeLesson(), attempt.step, {
        last_attempt: named(locale === 'ru' ? 'Складывает' : 'Adds'),
      }),
    );
  await begin();
  const before = model.state.announcement;
  await model.setLocale('ru');
  const shown = model.state.attempts[attempt.step];
  expect(shown?.outcome?.tests[0]?.name).toBe('Складывает');
  expect(model.state.announcement).toBe(before);
});
