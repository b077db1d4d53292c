import { CommandRegistry } from '@lumino/commands';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { CommandIds, registerCommands } from '../commands';
import { LessonModel } from '../model';
import { FakeApi, FakeMemory, makeLesson, withStep } from './fakes';

let api: FakeApi;
let model: LessonModel;
let commands: CommandRegistry;
let shows: number;
let visits: number;

beforeEach(async () => {
  api = new FakeApi();
  api.current = withStep(makeLesson(), 'serves', { state: 'open', task: 'Serve.' });
  model = new LessonModel({
    api,
    memory: new FakeMemory(),
    locale: 'en',
    saveDocuments: () => Promise.resolve(),
    readFile: () => Promise.resolve(null),
    makeKey: () => 'key',
  });
  await model.start();
  commands = new CommandRegistry();
  shows = 0;
  visits = 0;
  registerCommands(commands, null, model, {
    show: () => {
      shows += 1;
    },
    goThere: () => {
      visits += 1;
    },
    changeSide: () => undefined,
  });
});

afterEach(() => {
  model.dispose();
});

it('checks the open step and brings the panel to the front', async () => {
  void commands.execute(CommandIds.check);
  await Promise.resolve();
  await Promise.resolve();
  expect(shows).toBe(1);
  expect(model.state.activity?.step).toBe('listens');
});

it('offers a check only where there is something to check', async () => {
  expect(commands.isEnabled(CommandIds.check)).toBe(true);
  model.openStep('reads');
  expect(commands.isEnabled(CommandIds.check)).toBe(false);
  expect(commands.isEnabled(CommandIds.hint)).toBe(false);
  await commands.execute(CommandIds.hint);
  expect(api.calls).toEqual(['lesson en']);
});

it('goes to the next open step', async () => {
  await commands.execute(CommandIds.next);
  expect(model.state.openStep).toBe('serves');
});

it('takes whoever has no mouse to the panel, also while there is no lesson', async () => {
  await commands.execute(CommandIds.show);
  expect([visits, shows]).toEqual([1, 0]);
});

it('speaks the language of the panel', async () => {
  expect(commands.label(CommandIds.check)).toBe('Lesson: Check this step');
  await model.setLocale('ru');
  expect(commands.label(CommandIds.check)).toBe('Урок: проверить этот шаг');
});
