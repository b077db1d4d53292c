/** Saves that are under way are waited for, and none for ever. */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { Signal } from '@lumino/signaling';
import { expect, test } from 'vitest';

import { Saves } from '../widgets/saves';

function makeDocument(): {
  context: { saveState: Signal<object, DocumentRegistry.SaveState> };
  tell: (state: DocumentRegistry.SaveState) => void;
} {
  const saveState = new Signal<object, DocumentRegistry.SaveState>({});
  return {
    context: { saveState },
    tell: (state) => {
      saveState.emit(state);
    },
  };
}

test('a save under way is waited for until it ends, well or not', async () => {
  for (const end of ['completed', 'failed'] as const) {
    const { context, tell } = makeDocument();
    const saves = new Saves();
    saves.watch(context);
    tell('started');
    const order: string[] = [];
    const waiting = saves.settled(context).then(() => order.push('settled'));
    await Promise.resolve();
    order.push('ended');
    tell(end);
    await waiting;
    expect(order).toEqual(['ended', 'settled']);
    await saves.settled(context);
  }
});

test('a document that is not being saved, or not known, is not waited for', async () => {
  const { context } = makeDocument();
  const saves = new Saves();
  await saves.settled(context);
  saves.watch(context);
  await saves.settled(context);
});

test('a save that never ends is given up', async () => {
  const { context, tell } = makeDocument();
  const saves = new Saves();
  saves.watch(context);
  tell('started');
  await saves.settled(context, 0);
});
