/** A lesson server in memory, and the values that tests are made of. */
import type { LessonApi } from '../request';
import type { Memory } from '../model';
import type { MachineState } from '../state';
import type { Attempt, Hint, Image, Lesson, Outcome, Solution, Step, TestResult } from '../wire';

/** Give a test result; what is not named is that of a test that passed. */
export function makeTest(change: Partial<TestResult> = {}): TestResult {
  return {
    id: 'test_port',
    name: 'nginx listens on port 8000',
    outcome: 'passed',
    points: 1,
    max_points: 1,
    expected: null,
    actual: null,
    message: '',
    output: '',
    ...change,
  };
}

/** Give an outcome of that kind, with those tests. */
export function makeOutcome(
  outcome: Outcome['outcome'],
  tests: readonly TestResult[] = [],
  message = '',
): Outcome {
  return { outcome, message, duration_s: 0.5, tests };
}

/** Give an attempt; what is not named is that of one that waits. */
export function makeAttempt(change: Partial<Attempt> = {}): Attempt {
  return {
    version: 1,
    id: 'a1',
    step: 'listens',
    state: 'queued',
    requested_at: '2026-11-24T10:00:00Z',
    finished_at: null,
    position: 1,
    outcome: null,
    regraded: null,
    ...change,
  };
}

/** Give `attempt` as it is when it is done. */
export function finish(attempt: Attempt, outcome: Outcome): Attempt {
  return {
    ...attempt,
    state: 'done',
    position: null,
    finished_at: '2026-11-24T10:00:05Z',
    outcome,
  };
}

/** Give a step; what is not named is that of one that is open and has a check. */
export function makeStep(change: Partial<Step> = {}): Step {
  return {
    name: 'listens',
    title: 'Listen',
    state: 'open',
    task: 'Make nginx listen.',
    points: 1,
    has_check: true,
    hints: { total: 0, taken: [], next: null },
    last_attempt: null,
    ...change,
  };
}

/** Give a lesson of three steps: one open, two locked, the last without a check. */
export function makeLesson(change: Partial<Lesson> = {}): Lesson {
  return {
    version: 1,
    locale: 'en',
    locales: ['en', 'ru'],
    course: { name: 'real-machine', title: 'A real machine', url: '/courses/real-machine' },
    lesson: {
      name: 'web-server',
      title: 'Serve a page',
      theory: 'A web server listens.',
      home: '/root',
      open: ['work/index.html', 'terminal'],
      preview: [{ port: 8000, title: 'Your site' }],
      is_finished: false,
      records_commands: false,
    },
    steps: [
      makeStep(),
      makeStep({ name: 'serves', title: 'Serve', state: 'locked', task: null }),
      makeStep({ name: 'reads', title: 'Read', state: 'locked', task: null, has_check: false }),
    ],
    current_step: 'listens',
    solution: { is_available: false, reason: 'When all steps are passed.' },
    previous_lesson: null,
    next_lesson: { name: 'database', title: 'A database', url: '/lessons/database/open' },
    recorded_url: '/services/hexhub/recorded',
    ...change,
  };
}

/** Give `lesson` with one step changed. */
export function withStep(lesson: Lesson, name: string, change: Partial<Step>): Lesson {
  const steps = lesson.steps.map((step) => (step.name === name ? { ...step, ...change } : step));
  const passed = steps.filter((step) => step.state === 'passed');
  return {
    ...lesson,
    steps,
    current_step: steps.find((step) => step.state === 'open')?.name ?? lesson.current_step,
    lesson: { ...lesson.lesson, is_finished: passed.length === steps.length },
  };
}

/** Give a machine of which nothing is known but what is named. */
export function makeMachine(change: Partial<MachineState> = {}): MachineState {
  return {
    idleStopAtMs: null,
    undoUntilMs: null,
    usedBytes: null,
    limitBytes: null,
    starter: null,
    restored: null,
    isBusy: false,
    problem: null,
    ...change,
  };
}

/** A promise that a test resolves or rejects when it wants to. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** Make a promise that waits for the test. */
export function defer<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/**
 * A lesson server in memory. Each answer is a function that a test replaces; `calls` says what was
 * asked, in order.
 */
export class FakeApi implements LessonApi {
  readonly calls: string[] = [];
  current: Lesson = makeLesson();

  onLesson: (locale: string) => Promise<Lesson> = () => Promise.resolve(this.current);
  onSubmit: (step: string, key: string) => Promise<Attempt> = (step) =>
    Promise.resolve(makeAttempt({ step }));
  onCancel: (id: string) => Promise<Attempt> = (id) =>
    Promise.resolve(finish(makeAttempt({ id }), makeOutcome('cancelled')));
  onAttempts: (step: string) => Promise<readonly Attempt[]> = () => Promise.resolve([]);
  onAttempt: (id: string) => Promise<Attempt> = () => new Promise(() => undefined);
  onHint: (step: string) => Promise<Hint> = (step) =>
    Promise.resolve({ version: 1, step, hint: 'Look.', taken: 1, total: 1 });
  onDone: (step: string) => Promise<Lesson> = () => Promise.resolve(this.current);
  onSolution: () => Promise<Solution> = () =>
    Promise.resolve({ version: 1, files: [], script: 'nginx\n' });

  /** Answer with the lesson. */
  lesson(locale: string): Promise<Lesson> {
    this.calls.push(`lesson ${locale}`);
    return this.onLesson(locale);
  }

  /** Answer with an attempt that waits. */
  submitAttempt(step: string, key: string): Promise<Attempt> {
    this.calls.push(`submit ${step}`);
    return this.onSubmit(step, key);
  }

  /** Answer with the attempt, cancelled. */
  cancelAttempt(id: string): Promise<Attempt> {
    this.calls.push(`cancel ${id}`);
    return this.onCancel(id);
  }

  /** Answer with no attempts. */
  attempts(step: string): Promise<readonly Attempt[]> {
    this.calls.push(`attempts ${step}`);
    return this.onAttempts(step);
  }

  /** Answer with a picture of nothing. */
  image(name: string): Promise<Image> {
    this.calls.push(`image ${name}`);
    return Promise.resolve({ version: 1, media_type: 'image/png', data: '' });
  }

  /** Answer when the test says so. */
  attempt(id: string): Promise<Attempt> {
    this.calls.push(`attempt ${id}`);
    return this.onAttempt(id);
  }

  /** Answer with a hint. */
  takeHint(step: string): Promise<Hint> {
    this.calls.push(`hint ${step}`);
    return this.onHint(step);
  }

  /** Answer with the lesson. */
  markDone(step: string): Promise<Lesson> {
    this.calls.push(`done ${step}`);
    return this.onDone(step);
  }

  /** Answer with a solution. */
  solution(): Promise<Solution> {
    this.calls.push('solution');
    return this.onSolution();
  }
}

/** Keeps texts in memory. */
export class FakeMemory implements Memory {
  readonly kept = new Map<string, string>();

  /** Give what was kept, or null. */
  read(key: string): Promise<string | null> {
    return Promise.resolve(this.kept.get(key) ?? null);
  }

  /** Keep `value`. */
  write(key: string, value: string): Promise<void> {
    this.kept.set(key, value);
    return Promise.resolve();
  }
}
