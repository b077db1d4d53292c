import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import { Panel, spokenOf, type PanelWishes } from '../components/Panel';
import type { MarkdownTools } from '../components/Markdown';
import type { LessonState } from '../state';
import { textsIn } from '../texts';
import type { Attempt } from '../wire';
import {
  finish,
  makeAttempt,
  makeLesson,
  makeMachine,
  makeOutcome,
  makeStep,
  makeTest,
  withStep,
} from './fakes';

const texts = textsIn('en');

function makeState(change: Partial<LessonState> = {}): LessonState {
  return {
    locale: 'en',
    lesson: makeLesson(),
    attempts: {},
    openStep: 'listens',
    isTheoryOpen: false,
    activity: null,
    busy: null,
    connection: { kind: 'online' },
    problem: null,
    notice: null,
    history: {},
    solution: null,
    yours: {},
    announcement: null,
    ...change,
  };
}

function makeWishes(): PanelWishes {
  return {
    onCheck: vi.fn(),
    onHint: vi.fn(),
    onDone: vi.fn(),
    onRetry: vi.fn(),
    onDismiss: vi.fn(),
    onShowSolution: vi.fn(),
    onHideSolution: vi.fn(),
    onOpenStep: vi.fn(),
    onTheory: vi.fn(),
    onLocale: vi.fn(),
    onPreview: vi.fn(),
    onCancel: vi.fn(),
    onHistory: vi.fn(),
    onCompareSolution: vi.fn(),
    startOver: {
      onLoad: vi.fn(),
      onFile: vi.fn(),
      onStep: vi.fn(),
      onUndoFiles: vi.fn(),
      onMachine: vi.fn(),
      onUndoMachine: vi.fn(),
    },
  };
}

const markdown: MarkdownTools = {
  render: (source) => {
    const element = document.createElement('div');
    const code = document.createElement('pre');
    code.textContent = source;
    element.append(code);
    return Promise.resolve({ element, blocks: new Map() });
  },
  onAction: vi.fn(),
};

const tools = {
  hasFile: (path: string) => Promise.resolve(path === 'work/app.py'),
  onOpenPlace: vi.fn(),
  onCompare: vi.fn(),
};

function panelOf(state: LessonState, wishes: PanelWishes, isNarrow = false) {
  return (
    <Panel
      state={state}
      texts={textsIn(state.locale)}
      machine={makeMachine()}
      markdown={markdown}
      tools={tools}
      checkKeys="Ctrl+Shift+Enter"
      isNarrow={isNarrow}
      wishes={wishes}
    />
  );
}

function show(change: Partial<LessonState> = {}) {
  const wishes = makeWishes();
  const shown = render(panelOf(makeState(change), wishes));
  const again = (next: Partial<LessonState>): void => {
    shown.rerender(panelOf(makeState(next), wishes));
  };
  return { ...shown, wishes, again };
}

function withResult(outcome: Attempt['outcome']): Partial<LessonState> {
  return { attempts: { listens: finish(makeAttempt(), outcome ?? makeOutcome('failed')) } };
}

describe('texts from runs', () => {
  const EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script><b>bold</b>';

  it('stay text, wherever they stand in a result', () => {
    const evil = makeTest({
      name: EVIL,
      message: EVIL,
      output: EVIL,
      expected: EVIL,
      actual: `${EVIL}\n${EVIL}`,
      outcome: 'failed',
    });
    const { container } = show(withResult(makeOutcome('failed', [evil], EVIL)));
    expect(container.querySelectorAll('img, script, b')).toHaveLength(0);
    expect(container.textContent.split(EVIL).length - 1).toBeGreaterThanOrEqual(6);
  });

  it('stay text in titles, reasons, solutions and problems', () => {
    const lesson = withStep(makeLesson(), 'listens', { title: EVIL });
    const { container } = show({
      lesson: { ...lesson, solution: { is_available: true, reason: null } },
      solution: { version: 1, script: EVIL, files: [{ path: EVIL, text: EVIL, is_binary: false }] },
      problem: { code: 'refused', message: EVIL },
    });
    expect(container.querySelectorAll('img, script, b')).toHaveLength(0);
  });
});

describe('result', () => {
  it('shows test by test what was expected and what was found', () => {
    const tests = [
      makeTest({ id: 'a', name: 'It listens' }),
      makeTest({
        id: 'b',
        name: 'It says hello',
        outcome: 'failed',
        message: 'No hello.',
        expected: 'Hello',
        actual: 'Hullo',
        output: 'GET /',
      }),
    ];
    const { container } = show(withResult(makeOutcome('failed', tests)));
    expect(screen.getByText('Not yet')).toBeDefined();
    expect(screen.getByText('1 of 2 tests passed')).toBeDefined();
    const failed = container.querySelector('.hx-test-failed');
    expect(failed?.textContent).toContain('No hello.');
    expect([...(failed?.querySelectorAll('mark') ?? [])].map((m) => m.textContent)).toEqual([
      'e',
      'u',
    ]);
    expect(container.querySelector<HTMLDetailsElement>('.hx-output')?.open).toBe(false);
  });

  it('tells screen readers how each test ended', () => {
    show(withResult(makeOutcome('failed', [makeTest({ outcome: 'skipped' })])));
    expect(screen.getByText(': not run')).toBeDefined();
  });

  it.each([
    ['passed', 'Passed'],
    ['failed', 'Not yet'],
    ['error', 'Your work stopped the check'],
    ['ungradable', 'The check could not be made'],
  ] as const)('has plain words for %s', (kind, headline) => {
    show(withResult(makeOutcome(kind)));
    expect(screen.getByText(headline)).toBeDefined();
  });

  it('says that an ungradable attempt costs nothing', () => {
    show(withResult(makeOutcome('ungradable')));
    expect(screen.getByText(texts.ungradableHelp)).toBeDefined();
  });

  it('says when it was graded again, and with which version', () => {
    const regraded = { original: 'a0', course_version: '3f9c1d20ab4e' };
    const attempt = finish(makeAttempt({ regraded }), makeOutcome('passed', [makeTest()]));
    show({ attempts: { listens: attempt } });
    expect(screen.getByText(/^Graded again on .*2026.* with version 3f9c1d20ab4e/)).toBeDefined();
    expect(screen.queryByText(/Checked at/)).toBeNull();
  });

  it('shows white space where nothing else differs', () => {
    const test = makeTest({ outcome: 'failed', expected: 'a b', actual: 'a  b' });
    const { container } = show(withResult(makeOutcome('failed', [test])));
    expect(container.querySelector('.hx-cell-right')?.textContent).toBe('a··b');
    expect(screen.getByText(texts.onlySpaces)).toBeDefined();
  });
});

describe('steps', () => {
  it('carry their state in words, and unfold by their button', () => {
    const { wishes } = show();
    const [open, locked] = screen.getAllByRole('button', { name: /^Step/ });
    expect(open?.getAttribute('aria-expanded')).toBe('true');
    expect(locked?.textContent).toContain('locked');
    fireEvent.click(locked!);
    expect(wishes.onOpenStep).toHaveBeenCalledWith('serves');
    fireEvent.click(open!);
    expect(wishes.onOpenStep).toHaveBeenCalledWith(null);
  });

  it('say why they are locked, and offer nothing', () => {
    show({ openStep: 'serves' });
    expect(screen.getByText(texts.lockedWhy)).toBeDefined();
    expect(screen.queryByRole('button', { name: 'Check' })).toBeNull();
  });

  it('show their task, and let code be copied', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    const { container } = show({ lesson: makeLesson({ steps: [makeStep({ task: 'nginx\n' })] }) });
    const copy = await waitFor(() => {
      const found = container.querySelector('.hx-copy');
      expect(found).not.toBeNull();
      return found!;
    });
    fireEvent.click(copy);
    await screen.findByText('Copied');
    expect(writeText).toHaveBeenCalledWith('nginx');
    vi.unstubAllGlobals();
  });

  it('draw their task anew with other tools, as after a change of the theme', async () => {
    const drawn = vi.fn(markdown.render);
    const state = makeState({ lesson: makeLesson({ steps: [makeStep({ task: 'nginx' })] }) });
    const panel = (tools: MarkdownTools) => (
      <Panel {...panelOf(state, makeWishes()).props} markdown={tools} />
    );
    const tools = { ...markdown, render: drawn };
    const { rerender } = render(panel(tools));
    const tasks = () => drawn.mock.calls.filter(([source]) => source === 'nginx').length;
    await waitFor(() => {
      expect(tasks()).toBe(1);
    });
    rerender(panel(tools));
    rerender(panel({ ...tools }));
    await waitFor(() => {
      expect(tasks()).toBe(2);
    });
  });

  it('without a check are marked as done by hand', () => {
    const lesson = makeLesson({ steps: [makeStep({ has_check: false })] });
    const { wishes } = show({ lesson });
    fireEvent.click(screen.getByRole('button', { name: 'Mark as done' }));
    expect(wishes.onDone).toHaveBeenCalledOnce();
    expect(screen.queryByRole('button', { name: 'Check' })).toBeNull();
  });
});

describe('check button', () => {
  it('checks', () => {
    const { wishes } = show();
    fireEvent.click(screen.getByRole('button', { name: 'Check' }));
    expect(wishes.onCheck).toHaveBeenCalledOnce();
  });

  it('shows what is going on and for how long, and cannot be pressed in vain', () => {
    vi.useFakeTimers({ now: 10_000 });
    show({
      activity: {
        step: 'listens',
        phase: 'queued',
        position: 3,
        sinceMs: 5_000,
        isJoined: false,
      },
    });
    const button = screen.getByRole('button', { name: /Waiting: 2 before you/ });
    expect(button.getAttribute('aria-disabled')).toBe('true');
    expect(button.textContent).toContain('5 s');
    vi.useRealTimers();
  });

  it.each([
    ['en', 'Checking…', 2, 'Waiting: 1 before you'],
    ['en', 'Checking…', 1, 'Waiting: you are next'],
    ['en', 'Checking…', null, 'Waiting for a free place…'],
    ['ru', 'Проверяем…', 2, 'В очереди, впереди: 1'],
    ['ru', 'Проверяем…', 1, 'В очереди, вы следующие'],
    ['ru', 'Проверяем…', null, 'Ждём свободное место…'],
  ])('in %s says %s, and after two seconds at place %s: %s', (locale, first, position, then) => {
    vi.useFakeTimers({ now: 10_000 });
    const { container } = show({
      locale,
      activity: { step: 'listens', phase: 'queued', position, sinceMs: 10_000, isJoined: false },
    });
    const words = () => container.querySelector('.hx-check')?.textContent ?? '';
    expect(words()).toContain(first);
    act(() => {
      vi.advanceTimersByTime(1_000);
    });
    expect(words()).toContain(first);
    act(() => {
      vi.advanceTimersByTime(1_000);
    });
    expect(words()).toContain(then);
    vi.useRealTimers();
  });

  it('says that a check was running already, which may not know the newest files', () => {
    const activity = {
      step: 'listens',
      phase: 'running',
      position: null,
      sinceMs: Date.now(),
    } as const;
    const { unmount } = show({ activity: { ...activity, isJoined: false } });
    expect(screen.queryByText(texts.joined)).toBeNull();
    unmount();
    show({ activity: { ...activity, isJoined: true } });
    expect(screen.getByText(texts.joined)).toBeDefined();
  });

  it('says so when it takes long', () => {
    show({
      activity: {
        step: 'listens',
        phase: 'running',
        position: null,
        sinceMs: Date.now() - 60_000,
        isJoined: false,
      },
    });
    expect(screen.getByText(texts.slow)).toBeDefined();
  });
});

describe('hints', () => {
  const hints = (isAvailable: boolean) => ({
    total: 2,
    taken: ['Look.'],
    next: { is_available: isAvailable, reason: isAvailable ? null : 'After 1 more check.' },
  });

  it('shows those taken, and offers the next one', async () => {
    const { wishes } = show({ lesson: withStep(makeLesson(), 'listens', { hints: hints(true) }) });
    expect(screen.getByRole('heading', { name: 'Hint 1 of 2' })).toBeDefined();
    expect(await screen.findByText('Look.')).toBeDefined();
    fireEvent.click(screen.getByRole('button', { name: 'Hint 2 of 2' }));
    expect(wishes.onHint).toHaveBeenCalledOnce();
  });

  it('gives the reason while the next one may not be had', () => {
    show({ lesson: withStep(makeLesson(), 'listens', { hints: hints(false) }) });
    const button = screen.getByRole('button', { name: 'Hint 2 of 2' });
    expect(button.getAttribute('aria-disabled')).toBe('true');
    const reason = document.getElementById(button.getAttribute('aria-describedby') ?? '');
    expect(reason?.textContent).toBe('After 1 more check.');
  });
});

describe('header', () => {
  it('says how far the student is, also to screen readers', () => {
    show({ lesson: withStep(makeLesson(), 'listens', { state: 'passed' }) });
    const bar = screen.getByRole('progressbar');
    expect(bar.getAttribute('aria-valuenow')).toBe('1');
    expect(bar.getAttribute('aria-valuetext')).toBe('1 of 3 steps');
  });

  it('leads back to the course, and changes the language', () => {
    const { wishes } = show();
    const link = screen.getByRole('link', { name: 'A real machine' });
    expect(link.getAttribute('href')).toBe('/courses/real-machine');
    fireEvent.click(screen.getByRole('button', { name: 'RU' }));
    expect(wishes.onLocale).toHaveBeenCalledWith('ru');
  });

  it('offers no language where there is one only', () => {
    show({ lesson: makeLesson({ locales: ['en'] }) });
    expect(screen.queryByRole('group', { name: 'Language' })).toBeNull();
  });
});

describe('trouble', () => {
  it('tells of a lost connection in plain words, with a way to try now', () => {
    const { wishes } = show({ connection: { kind: 'offline', retryAtMs: Date.now() + 4000 } });
    expect(screen.getByText('No connection')).toBeDefined();
    fireEvent.click(screen.getByRole('button', { name: 'Try now' }));
    expect(wishes.onRetry).toHaveBeenCalledOnce();
    expect(screen.getByRole('button', { name: 'Check' }).getAttribute('aria-disabled')).toBe(
      'true',
    );
  });

  it('leads to the page that starts a stopped machine', () => {
    show({ connection: { kind: 'stopped' } });
    const link = screen.getByRole('link', { name: 'Start it again' });
    expect(link.getAttribute('href')).toBe('/courses/real-machine/lessons/web-server/open');
  });

  it('gives the words of the server, and can be dismissed', () => {
    const { wishes } = show({ problem: { code: 'step_locked', message: 'Pass listens first.' } });
    expect(screen.getByRole('alert').textContent).toContain('Pass listens first.');
    fireEvent.click(screen.getByRole('button', { name: texts.dismiss }));
    expect(wishes.onDismiss).toHaveBeenCalledOnce();
  });

  it.each([
    ['save_failed', /could not be saved/],
    ['login_ended', /Reload the page/],
    ['unexpected_answer', /does not understand/],
  ])('has words of its own for %s', (code, words) => {
    show({ lesson: null, problem: { code, message: 'why' } });
    expect(screen.getByRole('alert').textContent).toMatch(words);
    expect(screen.queryByText(texts.loading)).toBeNull();
  });
});

describe('the end of a step and of the lesson', () => {
  const passed = withStep(withStep(makeLesson(), 'listens', { state: 'passed' }), 'serves', {
    state: 'open',
    task: 'Serve.',
  });
  const notice = { kind: 'step_passed', step: 'listens', next: 'serves' } as const;

  it('moves the focus from the panel to the step that opened', () => {
    const { again } = show();
    screen.getByRole('button', { name: 'Check' }).focus();
    again({ lesson: passed, openStep: 'serves', notice });
    expect(document.activeElement?.id).toBe('hx-step-serves-head');
  });

  it('takes the focus away from nobody outside the panel', () => {
    const editor = document.createElement('textarea');
    document.body.append(editor);
    const { again } = show();
    editor.focus();
    again({ lesson: passed, openStep: 'serves', notice });
    expect(document.activeElement).toBe(editor);
    editor.remove();
  });

  it('says aloud what was passed and what opened', () => {
    const words = spokenOf({ id: 1, what: { kind: 'notice', notice } }, passed, texts);
    expect(words).toBe('Step passed: Listen. The next step is open: Serve.');
  });

  it('says a result aloud with its count', () => {
    const attempt = finish(makeAttempt(), makeOutcome('failed', [makeTest({ outcome: 'failed' })]));
    show({ announcement: { id: 1, what: { kind: 'result', attempt } } });
    expect(screen.getByText('Not yet. 0 of 1 test passed.')).toBeDefined();
  });

  it('congratulates, and leads on', () => {
    const lesson = makeLesson();
    show({
      lesson: {
        ...lesson,
        lesson: { ...lesson.lesson, is_finished: true },
        solution: { is_available: true, reason: null },
      },
    });
    const end = screen.getByText('Lesson finished').closest('section')!;
    expect(within(end).getByRole('link', { name: /Next lesson: A database/ })).toBeDefined();
    expect(screen.getByRole('button', { name: 'Show the author’s solution' })).toBeDefined();
  });

  it('shows the solution as files, and names those that are no text', () => {
    const { wishes } = show({
      lesson: makeLesson({ solution: { is_available: true, reason: null } }),
      solution: {
        version: 1,
        script: null,
        files: [
          { path: 'a.py', text: 'print(1)\n', is_binary: false },
          { path: 'b.png', text: null, is_binary: true },
        ],
      },
    });
    expect(screen.getByText(/print\(1\)/)).toBeDefined();
    expect(screen.getByText(texts.binaryFile)).toBeDefined();
    fireEvent.click(screen.getByRole('button', { name: texts.hideSolution }));
    expect(wishes.onHideSolution).toHaveBeenCalledOnce();
  });
});

describe('what is recorded', () => {
  it('is said at the top of a lesson that records what is typed, in its language', () => {
    const lesson = makeLesson();
    const watched = { ...lesson, lesson: { ...lesson.lesson, records_commands: true } };
    const { again } = show({ lesson: watched });
    const note = screen.getByRole('note');
    expect(note.textContent).toContain('records the commands that you type');
    expect(within(note).getByRole('link').getAttribute('href')).toBe('/services/hexhub/recorded');
    again({ lesson: watched, locale: 'ru' });
    expect(screen.getByRole('note').textContent).toContain('записывает команды');
  });

  it('is a link away in every other lesson, and no more', () => {
    show();
    expect(screen.queryByRole('note')).toBeNull();
    const link = screen.getByRole('link', { name: texts.recordedLink });
    expect(link.getAttribute('href')).toBe('/services/hexhub/recorded');
  });
});

it('folds the theory when it was read', () => {
  const { wishes } = show({ isTheoryOpen: true });
  fireEvent.click(screen.getByRole('button', { name: 'I have read this' }));
  expect(wishes.onTheory).toHaveBeenCalledWith(false);
});

it('keeps the focus of a button that goes away on Check, and takes it from nowhere else', () => {
  const activity = {
    step: 'listens',
    phase: 'running' as const,
    position: null,
    sinceMs: Date.now(),
    isJoined: false,
  };
  const { again } = show({ activity });
  again({});
  expect(document.activeElement).toBe(document.body);
  again({ activity });
  screen.getByRole('button', { name: 'Cancel' }).focus();
  again({});
  expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Check' }));
});

it('tells on a phone what the status bar has no room for, and nowhere else', () => {
  const offline = makeState({ connection: { kind: 'offline', retryAtMs: 0 } });
  const { container, rerender } = render(panelOf(offline, makeWishes()));
  expect(container.querySelector('.hx-facts')).toBeNull();
  rerender(panelOf(offline, makeWishes(), true));
  expect(container.querySelector('.hx-facts')?.textContent).toContain(texts.statusOffline);
});

it('opens a preview', () => {
  const { wishes } = show();
  fireEvent.click(screen.getByRole('button', { name: /Your site/ }));
  expect(wishes.onPreview).toHaveBeenCalledWith({ port: 8000, title: 'Your site' });
});

it('says that it is opening while nothing is known', () => {
  show({ lesson: null, connection: { kind: 'loading' } });
  expect(screen.getByText(texts.loading)).toBeDefined();
});
