/** The web socket of a terminal, as terminado speaks. */

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

/** Give the address of a terminal's socket below the server's `baseUrl`. */
export function socketUrl(page: string, baseUrl: string, terminal: string): string {
  const url = new URL(`${baseUrl}terminals/websocket/${encodeURIComponent(terminal)}`, page);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** Connect; what is typed before the server listens is sent then. */
export function connect(url: string, listener: Listener): Connection {
  const socket = new WebSocket(url);
  const waiting: string[] = [];
  const send = (...message: unknown[]): void => {
    const text = JSON.stringify(message);
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(text);
    } else if (socket.readyState === WebSocket.CONNECTING) {
      waiting.push(text);
    }
  };
  socket.onopen = () => {
    listener.onOpen();
    for (const text of waiting.splice(0)) {
      socket.send(text);
    }
  };
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
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
  socket.onclose = () => {
    listener.onEnd();
  };
  return {
    type: (text) => {
      send('stdin', text);
    },
    resize: (rows, columns) => {
      send('set_size', rows, columns);
    },
    close: () => {
      socket.onclose = null;
      socket.close();
    },
  };
}
