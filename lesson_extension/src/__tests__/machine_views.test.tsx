import { fireEvent, render, screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';

import { Difference } from '../components/Difference';
import { StartOver } from '../components/StartOver';
import { Status } from '../components/Status';
import type { LessonState, MachineState } from '../state';
import { textsIn } from '../texts';
import { makeLesson, makeMachine } from './fakes';

const texts = textsIn('en');
const MEBIBYTE = 1024 ** 2;

function status(machine: Partial<MachineState>, state: Partial<LessonState> = {}) {
  return (
    <Status
      state={
        {
          lesson: makeLesson(),
          openStep: 'serves',
          connection: { kind: 'online' },
          ...state,
        } as LessonState
      }
      machine={makeMachine(machine)}
      texts={texts}
      isNarrow={false}
      sheet="lesson"
      onShow={vi.fn()}
      onTurn={vi.fn()}
    />
  );
}

it('tells step, connection, time and memory in one line', () => {
  const { container } = render(
    status({
      idleStopAtMs: Date.now() + 28 * 60_000 - 1_000,
      usedBytes: 100 * MEBIBYTE,
      limitBytes: 512 * MEBIBYTE,
    }),
  );
  expect(container.textContent).toBe('Step 2 of 3ConnectedStops in 28 min100 of 512 MB');
});

it('says nothing of an idle stop that is hours away, nor of memory that is not told', () => {
  const { container } = render(status({ idleStopAtMs: Date.now() + 5 * 60 * 60_000 }));
  expect(container.textContent).toBe('Step 2 of 3Connected');
});

it('marks memory that becomes scarce', () => {
  const { container } = render(status({ usedBytes: 95, limitBytes: 100 }));
  expect(container.querySelector('.hx-status-scarce')).not.toBeNull();
});

it('says plainly that there is no connection', () => {
  render(status({}, { connection: { kind: 'offline', retryAtMs: 0 } }));
  expect(screen.getByText(texts.statusOffline)).toBeDefined();
});

function startOver(machine: Partial<MachineState>) {
  const wishes = {
    onLoad: vi.fn(),
    onFile: vi.fn(),
    onStep: vi.fn(),
    onUndoFiles: vi.fn(),
    onMachine: vi.fn(),
    onUndoMachine: vi.fn(),
  };
  render(
    <StartOver
      lesson={makeLesson()}
      openStep="listens"
      machine={makeMachine(machine)}
      locale="en"
      texts={texts}
      wishes={wishes}
    />,
  );
  return wishes;
}

it('puts back one file, or the files of the step that is open', () => {
  const wishes = startOver({
    starter: [
      { path: 'index.html', size_bytes: 1, steps: ['listens'] },
      { path: 'serve.sh', size_bytes: 1, steps: [] },
    ],
  });
  fireEvent.click(screen.getByLabelText(texts.restoreFile('serve.sh')));
  fireEvent.click(screen.getByText(texts.restoreStep));
  expect(wishes.onFile).toHaveBeenCalledWith('serve.sh');
  expect(wishes.onStep).toHaveBeenCalledWith('listens');
});

it('resets the machine only when it was asked for twice', () => {
  const wishes = startOver({});
  fireEvent.click(screen.getByText(texts.resetMachine));
  expect(wishes.onMachine).not.toHaveBeenCalled();
  fireEvent.click(screen.getByText(texts.keepMachine));
  fireEvent.click(screen.getByText(texts.resetMachine));
  fireEvent.click(screen.getByText(texts.resetMachine));
  expect(wishes.onMachine).toHaveBeenCalledOnce();
});

it('offers to undo a reset while that can be done', () => {
  startOver({ undoUntilMs: Date.parse('2026-12-01T10:00:00Z') });
  expect(screen.getByText(texts.undoResetUntil('Dec 1, 2026'))).toBeDefined();
});

it('shows several lines side by side, and both in a tab when asked', () => {
  const onCompare = vi.fn();
  const { container } = render(
    <Difference expected={'a\nb'} actual={'a\nc'} texts={texts} onCompare={onCompare} />,
  );
  const rows = [...container.querySelectorAll('tbody tr')].map((row) =>
    [...row.querySelectorAll('td')].map((cell) => cell.textContent),
  );
  expect(rows).toEqual([
    ['a', 'a'],
    ['b', 'c'],
  ]);
  fireEvent.click(screen.getByText(texts.compareInTab));
  expect(onCompare).toHaveBeenCalledWith('a\nb', 'a\nc');
});
