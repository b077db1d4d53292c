import { cleanup, render } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { StepItem } from '../components/StepItem';
import {
  Attention,
  CellWatch,
  IDLE_AFTER_MS,
  StepWatch,
  makeTell,
  stepsInView,
  type Tell,
} from '../happenings';
import { textsIn } from '../texts';
import { readLesson } from '../wire';
import { sample } from './contract';

let told: [string, Record<string, unknown>][];
let now: number;
const tell: Tell = (name, data) => {
  told.push([name, data]);
};

beforeEach(() => {
  told = [];
  now = 0;
});
afterEach(cleanup);

it('tells the server by the schema of the event, and does not mind a refusal', async () => {
  const emit = vi.fn(() => Promise.reject(new Error('500')));
  makeTell({ emit })('preview_opened', { port: 8000 });
  await Promise.resolve();
  expect(emit).toHaveBeenCalledWith({
    schema_id: 'urn:hexhub:lesson-event:preview_opened:v1',
    version: '1',
    data: { port: 8000 },
  });
});

describe('attention', () => {
  const states = (): unknown[] => told.map(([, data]) => data.state);

  it('is told when it changes, and only then', () => {
    const attention = new Attention(tell, () => now);
    attention.leave();
    attention.use();
    attention.use();
    attention.leave();
    attention.leave();
    attention.use();
    expect(states()).toEqual(['focused', 'idle', 'focused']);
  });

  it('ends after a minute without key or pointer', () => {
    const attention = new Attention(tell, () => now);
    attention.use();
    now = IDLE_AFTER_MS - 1;
    attention.look();
    expect(states()).toEqual(['focused']);
    now = IDLE_AFTER_MS;
    attention.look();
    attention.look();
    expect(states()).toEqual(['focused', 'idle']);
  });
});

describe('steps', () => {
  it('are told when they come into view, again when they come back', () => {
    const steps = new StepWatch(tell);
    steps.look(['listens']);
    steps.look(['listens']);
    steps.look(['listens', 'serves']);
    steps.look([]);
    steps.look(['listens']);
    expect(told.map(([, data]) => data.step)).toEqual(['listens', 'serves', 'listens']);
  });

  it('are those that the panel has unfolded', () => {
    const lesson = readLesson(sample('lesson'));
    const items = lesson.steps.map((step, index) => (
      <StepItem
        key={step.name}
        {...({} as Parameters<typeof StepItem>[0])}
        step={step}
        index={index + 1}
        isOpen={index === 0}
        attempt={null}
        locale="en"
        texts={textsIn('en')}
        markdown={{
          render: () =>
            Promise.resolve({ element: document.createElement('div'), blocks: new Map() }),
          onAction: () => undefined,
        }}
        onToggle={() => undefined}
      />
    ));
    const { container } = render(<ul>{items}</ul>);
    expect(stepsInView(container, () => true)).toEqual(['listens']);
    expect(stepsInView(container, () => false)).toEqual([]);
  });
});

describe('cells', () => {
  type Message = Parameters<CellWatch['see']>[0];
  const message = (direction: 'send' | 'recv', type: string, more: object): Message =>
    ({
      direction,
      msg: {
        header: { msg_type: type, msg_id: 'r1' },
        parent_header: {},
        metadata: {},
        content: {},
        ...more,
      },
    }) as unknown as Message;
  const request = message('send', 'execute_request', { metadata: { cellId: 'c2' } });
  const reply = (status: string): Message =>
    message('recv', 'execute_reply', { parent_header: { msg_id: 'r1' }, content: { status } });
  const watch = (): CellWatch =>
    new CellWatch(
      tell,
      () => now,
      () => 'work/a.ipynb',
      (id) => ['c1', 'c2'].indexOf(id),
    );

  it.each([
    ['ok', true],
    ['error', false],
    ['aborted', false],
  ])('that end with %s are told once', (status, isSuccess) => {
    const cells = watch();
    cells.see(request);
    now = 40.4;
    cells.see(reply(status));
    cells.see(reply(status));
    expect(told).toEqual([
      [
        'cell_executed',
        { path: 'work/a.ipynb', position: 1, is_success: isSuccess, duration_ms: 40 },
      ],
    ]);
  });

  it('that JupyterLab runs behind the scenes, or others run, are not told', () => {
    const cells = watch();
    cells.see(message('send', 'execute_request', {}));
    cells.see(reply('ok'));
    cells.see(message('send', 'execute_request', { metadata: { cellId: 'gone' } }));
    cells.see(reply('ok'));
    cells.see(reply('ok'));
    expect(told).toEqual([]);
  });
});
