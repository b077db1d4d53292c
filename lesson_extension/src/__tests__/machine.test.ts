// @vitest-environment node
import { expect, it, vi } from 'vitest';

import { MachineModel } from '../machine';
import { Refused, type MachineApi } from '../request';

function makeApi(change: Partial<MachineApi> = {}): MachineApi {
  return {
    machine: () =>
      Promise.resolve({
        version: 1,
        idle_stop_at: '2026-11-24T10:30:00Z',
        undo_until: null,
      }),
    memory: () => Promise.resolve({ version: 1, used_bytes: 100, limit_bytes: 512 }),
    starter: () => Promise.resolve([{ path: 'a.py', size_bytes: 3, steps: ['one'] }]),
    restoreFile: (path) => Promise.resolve([path]),
    restoreStep: () => Promise.resolve(['a.py', 'b.py']),
    undoRestore: () => Promise.resolve(['a.py']),
    resetMachine: () => Promise.resolve('starting'),
    undoReset: () => Promise.resolve('starting'),
    ...change,
  };
}

function makeModel(change: Partial<MachineApi> = {}) {
  const reloadFiles = vi.fn(() => Promise.resolve());
  const leave = vi.fn();
  return {
    model: new MachineModel({ api: makeApi(change), reloadFiles, leave }),
    reloadFiles,
    leave,
  };
}

it('tells what is left of time and memory', async () => {
  const { model } = makeModel();
  model.start();
  await vi.waitFor(() => {
    expect(model.state).toMatchObject({
      idleStopAtMs: Date.parse('2026-11-24T10:30:00Z'),
      usedBytes: 100,
      limitBytes: 512,
    });
  });
  model.dispose();
});

it('loads a file anew that was put back, and again when that is undone', async () => {
  const { model, reloadFiles } = makeModel();
  await model.restoreFile('a.py');
  expect(model.state.restored).toEqual(['a.py']);
  await model.undoRestore();
  expect(model.state.restored).toBeNull();
  expect(reloadFiles.mock.calls).toEqual([[['a.py']], [['a.py']]]);
});

it('leaves for the waiting page only when the reset has begun', async () => {
  const refused = makeModel({ resetMachine: () => Promise.reject(new Refused('x', 'Not now.')) });
  await refused.model.reset();
  expect(refused.leave).not.toHaveBeenCalled();
  expect(refused.model.state).toMatchObject({ problem: 'Not now.', isBusy: false });
  const begun = makeModel();
  await begun.model.reset();
  expect(begun.leave).toHaveBeenCalledOnce();
});
