/** The web socket of a terminal, as terminado speaks. */
import type { EarlySocket } from './contract';

/** What a terminal's shell says, and that it has ended. */
export interface Listener {
  /** Output for the emulator. */
  readonly onOutput: (text: string) => void;
  /** The server listens. */
  readonly onOpen: () => void;
  /** The shell has ended, or the connection has. */
  readonly onEnd: () => void;
}

/** A connection to one terminal. */
export interface Connection {
  readonly type: (text: string) => void;
  readonly resize: (rows: number, columns: number) => void;
  readonly close: () => void;
}

/**
 * Listen to a terminal: first to what it has said already.
 *
 * What is typed before the server listens is sent then. The listener is called after this has
 * returned.
 */
export function listenTo({ socket, said }: EarlySocket, listener: Listener): Connection {
  const waiting: string[] = [];
  const send = (...message: unknown[]): void => {
    const text = JSON.stringify(message);
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(text);
    } else if (socket.readyState === WebSocket.CONNECTING) {
      waiting.push(text);
    }
  };
  const begin = (): void => {
    listener.onOpen();
    for (const text of waiting.splice(0)) {
      socket.send(text);
    }
  };
  const hear = (data: unknown): void => {
    const message: unknown = typeof data === 'string' ? JSON.parse(data) : null;
    if (!Array.isArray(message)) {
      return;
    }
    const [kind, text] = message as readonly unknown[];
    if (kind === 'stdout' && typeof text === 'string') {
      listener.onOutput(text);
    } else if (kind === 'disconnect') {
      listener.onEnd();
    }
  };
  let isClosed = false;
  const end = (): void => {
    if (!isClosed) {
      isClosed = true;
      listener.onEnd();
    }
  };
  queueMicrotask(() => {
    // Nothing comes between what was said and what will be: events wait for this to end.
    said.splice(0).forEach(hear);
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      hear(data);
    };
    socket.onclose = end;
    if (socket.readyState === WebSocket.OPEN) {
      begin();
    } else if (socket.readyState === WebSocket.CONNECTING) {
      socket.onopen = begin;
    } else {
      end();
    }
  });
  return {
    type: (text) => {
      send('stdin', text);
    },
    resize: (rows, columns) => {
      send('set_size', rows, columns);
    },
    close: () => {
      isClosed = true;
      socket.close();
    },
  };
}
