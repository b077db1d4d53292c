/** What only the browser sees, as events: cells that ran, steps in view, attention; draws nothing. */
import type { Event, Kernel } from '@jupyterlab/services';

/** Seconds without key or pointer after which nobody seems to be there. */
export const IDLE_AFTER_MS = 60_000;

type Data = Record<string, string | number | boolean>;
/** Tells one event. */
export type Tell = (name: string, data: Data) => void;

/** Give what tells events to a server; an event that it does not take is gone. */
export function makeTell(events: Pick<Event.IManager, 'emit'>): Tell {
  return (name, data) => {
    const id = `urn:hexhub:lesson-event:${name}:v1`;
    events.emit({ schema_id: id, version: '1', data }).catch(() => undefined);
  };
}

/** Tells when somebody comes to the IDE, and when they have left it alone. */
export class Attention {
  private state: 'focused' | 'idle' | null = null;
  private lastUse = 0;

  constructor(
    private readonly tell: Tell,
    private readonly now: () => number,
  ) {}

  /** A key, the pointer, or the window coming to the front. */
  use(): void {
    this.lastUse = this.now();
    this.change('focused');
  }

  /** The window went to the background. */
  leave(): void {
    this.change('idle');
  }

  /** Time has passed. */
  look(): void {
    if (this.state === 'focused' && this.now() - this.lastUse >= IDLE_AFTER_MS) {
      this.change('idle');
    }
  }

  private change(state: 'focused' | 'idle'): void {
    const isNew = state !== this.state && !(this.state === null && state === 'idle');
    if (isNew) {
      this.state = state;
      this.tell('ide_focus_changed', { state });
    }
  }
}

/** Give the names of the steps whose text is unfolded in the panel and can be seen. */
export function stepsInView(
  root: ParentNode,
  isShown: (body: HTMLElement) => boolean,
): readonly string[] {
  const bodies = root.querySelectorAll<HTMLElement>('.hx-step-body:not([hidden])');
  return [...bodies].filter(isShown).map((body) => body.id.replace(/^hx-step-/, ''));
}

/** Tells of each step that comes into view, not of one that stays there. */
export class StepWatch {
  private seen: readonly string[] = [];

  constructor(private readonly tell: Tell) {}

  /** Take what is in view now. */
  look(inView: readonly string[]): void {
    for (const step of inView) {
      if (!this.seen.includes(step)) {
        this.tell('step_viewed', { step });
      }
    }
    this.seen = inView;
  }
}

interface Running {
  readonly startedAt: number;
  readonly cellId: string;
}

/** Reads the messages of one kernel: a cell has ended when the reply to its request comes. */
export class CellWatch {
  private readonly running = new Map<string, Running>();

  constructor(
    private readonly tell: Tell,
    private readonly now: () => number,
    private readonly path: () => string,
    private readonly positionOf: (cellId: string) => number,
  ) {}

  /** Take a message that went to the kernel or came from it. */
  see({ msg, direction }: Kernel.IAnyMessageArgs): void {
    const { header, parent_header: parent, metadata } = msg;
    if (direction === 'send' && header.msg_type === 'execute_request') {
      const cellId = metadata.cellId;
      // What JupyterLab's own parts run behind the scenes names no cell.
      if (typeof cellId === 'string') {
        this.running.set(header.msg_id, { startedAt: this.now(), cellId });
      }
      return;
    }
    if (direction !== 'recv' || header.msg_type !== 'execute_reply' || !('msg_id' in parent)) {
      return;
    }
    const run = this.running.get(parent.msg_id);
    if (run === undefined) {
      return;
    }
    this.running.delete(parent.msg_id);
    const position = this.positionOf(run.cellId);
    if (position >= 0) {
      const isSuccess = (msg.content as { readonly status?: unknown }).status === 'ok';
      this.tell('cell_executed', {
        path: this.path(),
        position,
        is_success: isSuccess,
        duration_ms: Math.max(0, Math.round(this.now() - run.startedAt)),
      });
    }
  }
}
