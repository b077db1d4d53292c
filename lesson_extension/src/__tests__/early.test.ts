import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { listenTo } from '../early/connection';
import type { EarlySocket } from '../early/contract';
import {
  AFTER_KEY_MS,
  AFTER_SHELL_MS,
  AT_LATEST_MS,
  atPause,
  WITHOUT_SHELL_MS,
} from '../early/pause';
import { firstPlace, keptPlace } from '../early/place';

const LAPTOP = { width: 1366, height: 768 };
const place = {
  left: 39,
  top: 67,
  width: 919,
  height: 671,
  background: 'white',
  foreground: '#000',
};

it('has the terminal fill the room that JupyterLab leaves, where no file is beside it', () => {
  const { left, top, width, height } = firstPlace(LAPTOP, 'alone', 'light');
  expect([left, top, left + width, top + height]).toEqual([33, 53, 965, 743]);
});

it.each([
  [LAPTOP, 499, 53],
  [{ width: 1000, height: 800 }, 33, 414],
  [{ width: 1920, height: 1080 }, 880, 53],
])('has it at the right of files, or below them on a narrower page: %o', (page, left, top) => {
  expect(firstPlace(page, 'beside', 'light')).toMatchObject({ left, top });
});

it.each([
  ['light', '#ffffff', '#000000'],
  ['dark', '#111111', '#ffffff'],
] as const)('has the colours of JupyterLab in a %s system', (scheme, background, foreground) => {
  expect(firstPlace(LAPTOP, 'beside', scheme)).toMatchObject({ background, foreground });
});

it('takes the place that was kept', () => {
  expect(keptPlace(JSON.stringify(place), LAPTOP)).toEqual(place);
});

it.each([
  null,
  '',
  '{"left": 1',
  'null',
  '7',
  JSON.stringify({ ...place, left: '39' }),
  JSON.stringify({ ...place, left: -1 }),
  JSON.stringify({ ...place, left: 600 }),
  JSON.stringify({ ...place, height: 20 }),
  JSON.stringify({ ...place, background: '' }),
])('takes none that is no place or does not fit into the page: %s', (text) => {
  expect(keptPlace(text, LAPTOP)).toBeNull();
});

class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  readyState = 0;
  sent: string[] = [];
  isClosed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.isClosed = true;
    this.readyState = 3;
    this.onclose?.();
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }
}

async function makeConnection(socket = new FakeSocket(), said: unknown[] = []) {
  vi.stubGlobal('WebSocket', FakeSocket);
  const listener = { onOutput: vi.fn(), onOpen: vi.fn(), onEnd: vi.fn() };
  const connection = listenTo({ socket, said } as unknown as EarlySocket, listener);
  expect(listener.onOutput).not.toHaveBeenCalled();
  await Promise.resolve();
  return { listener, connection, socket };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

it('hears what was said before it listened, in order, and that the server listens', async () => {
  const socket = new FakeSocket();
  socket.open();
  const said = ['["setup",{}]', '["stdout","a"]', '["stdout","b"]'];
  const { listener } = await makeConnection(socket, said);
  socket.onmessage?.({ data: '["stdout","c"]' });
  expect(listener.onOutput.mock.calls).toEqual([['a'], ['b'], ['c']]);
  expect(listener.onOpen).toHaveBeenCalledOnce();
});

it('tells of a connection that was lost before it listened', async () => {
  const socket = new FakeSocket();
  socket.close();
  const { listener } = await makeConnection(socket);
  expect(listener.onEnd).toHaveBeenCalledOnce();
  expect(listener.onOpen).not.toHaveBeenCalled();
});

it('sends what was typed before the server listened, after the size', async () => {
  const { listener, connection, socket } = await makeConnection();
  listener.onOpen.mockImplementation(() => {
    connection.resize(24, 80);
  });
  connection.type('l');
  connection.type('s');
  expect(socket.sent).toEqual([]);
  socket.open();
  connection.type('\r');
  expect(socket.sent.map((text) => JSON.parse(text) as unknown)).toEqual([
    ['set_size', 24, 80],
    ['stdin', 'l'],
    ['stdin', 's'],
    ['stdin', '\r'],
  ]);
});

it('tells output and the end of the shell, and nothing of what it does not know', async () => {
  const { listener, socket } = await makeConnection();
  socket.open();
  for (const data of [
    '["setup",{}]',
    '["stdout","hi"]',
    '["stdout",7]',
    '{}',
    new ArrayBuffer(1),
  ]) {
    socket.onmessage?.({ data });
  }
  expect(listener.onOutput.mock.calls).toEqual([['hi']]);
  expect(listener.onEnd).not.toHaveBeenCalled();
  socket.onmessage?.({ data: '["disconnect",1]' });
  expect(listener.onEnd).toHaveBeenCalledOnce();
});

it('tells of a connection that is lost, and not of one that it closes itself', async () => {
  const lost = await makeConnection();
  lost.socket.close();
  expect(lost.listener.onEnd).toHaveBeenCalledOnce();
  const left = await makeConnection();
  left.connection.close();
  expect(left.socket.isClosed).toBe(true);
  expect(left.listener.onEnd).not.toHaveBeenCalled();
});

describe('when JupyterLab is loaded', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is soon after the shell where nobody types', () => {
    const [fetch, start] = [vi.fn(), vi.fn()];
    const pause = atPause(fetch, start);
    vi.advanceTimersByTime(WITHOUT_SHELL_MS - 1);
    expect(fetch).not.toHaveBeenCalled();
    pause.onShell();
    vi.advanceTimersByTime(AFTER_SHELL_MS - 1);
    pause.onShell();
    expect(start).not.toHaveBeenCalled();
    expect(fetch).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(1);
    expect(start).toHaveBeenCalledOnce();
  });

  it('is after a while where the shell shows nothing', () => {
    const start = vi.fn();
    atPause(vi.fn(), start);
    vi.advanceTimersByTime(WITHOUT_SHELL_MS);
    expect(start).toHaveBeenCalledOnce();
  });

  it('waits for a pause in the typing', () => {
    const start = vi.fn();
    const pause = atPause(vi.fn(), start);
    pause.onShell();
    for (let keys = 0; keys < 4; keys++) {
      pause.onKey();
      vi.advanceTimersByTime(AFTER_KEY_MS - 1);
    }
    expect(start).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(start).toHaveBeenCalledOnce();
  });

  it('does not wait for ever, and is once', () => {
    const start = vi.fn();
    const pause = atPause(vi.fn(), start);
    for (let ms = 0; ms < AT_LATEST_MS; ms += 100) {
      pause.onKey();
      vi.advanceTimersByTime(100);
    }
    expect(start).toHaveBeenCalledOnce();
    pause.onKey();
    pause.onShell();
    vi.runAllTimers();
    expect(start).toHaveBeenCalledOnce();
  });
});
