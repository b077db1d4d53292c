/** The lesson in the status bar: which step, whether the hub answers, what the machine has left. */
import type { JSX } from 'react';

import type { Connection, LessonState, MachineState } from '../state';
import type { Texts } from '../texts';
import { useNow } from './Banners';

/** Properties of {@link Status}. */
export interface StatusProps {
  readonly state: LessonState;
  readonly machine: MachineState;
  readonly texts: Texts;
  /** One thing is shown at a time. */
  readonly isNarrow: boolean;
  /** What is shown there; null: none of these. */
  readonly sheet: 'lesson' | 'files' | 'terminal' | null;
  readonly onShow: () => void;
  readonly onTurn: (sheet: 'lesson' | 'files' | 'terminal') => void;
}

function wordsOf(connection: Connection, texts: Texts): string {
  return {
    loading: texts.statusConnecting,
    online: texts.statusOnline,
    offline: texts.statusOffline,
    stopped: texts.statusStopped,
  }[connection.kind];
}

const MEBIBYTE = 1024 ** 2;
const MINUTE_MS = 60_000;
/** The time until the idle stop is told from here on: a longer one is of no use to anybody. */
const SOON_MS = 60 * MINUTE_MS;
/** Share of the memory from which it is told as scarce. */
const SCARCE = 0.9;

function Memory({ machine, texts }: { readonly machine: MachineState; readonly texts: Texts }) {
  const { usedBytes, limitBytes } = machine;
  if (usedBytes === null || limitBytes === null) {
    return null;
  }
  const megabytes = (bytes: number): number => Math.round(bytes / MEBIBYTE);
  const isScarce = usedBytes > SCARCE * limitBytes;
  return (
    <span className={isScarce ? 'hx-status-scarce' : undefined} title={texts.statusMemoryHelp}>
      {texts.statusMemory(megabytes(usedBytes), megabytes(limitBytes))}
    </span>
  );
}

function IdleStop({ machine, texts }: { readonly machine: MachineState; readonly texts: Texts }) {
  const leftMs = (machine.idleStopAtMs ?? Infinity) - useNow();
  if (leftMs > SOON_MS) {
    return null;
  }
  const minutes = Math.max(1, Math.ceil(leftMs / MINUTE_MS));
  return <span title={texts.statusIdleHelp}>{texts.statusIdle(minutes)}</span>;
}

/** Properties of {@link MachineFacts}. */
export interface MachineFactsProps {
  readonly connection: Connection;
  readonly machine: MachineState;
  readonly texts: Texts;
}

/** Whether the hub answers, and what the machine has left. */
export function MachineFacts({ connection, machine, texts }: MachineFactsProps): JSX.Element {
  return (
    <>
      <span className={`hx-status-connection hx-status-${connection.kind}`}>
        {wordsOf(connection, texts)}
      </span>
      <IdleStop machine={machine} texts={texts} />
      <Memory machine={machine} texts={texts} />
    </>
  );
}

/** One line; pressing the step shows the lesson. */
export function Status(props: StatusProps): JSX.Element | null {
  const { state, machine, texts, isNarrow, sheet: current, onShow, onTurn } = props;
  const { lesson, openStep, connection } = state;
  if (lesson === null) {
    return null;
  }
  const shown = openStep ?? lesson.current_step;
  const number = lesson.steps.findIndex((step) => step.name === shown) + 1;
  if (isNarrow) {
    return (
      <nav className="hx-status hx-sheets" lang={lesson.locale} aria-label={texts.sheets}>
        {(['lesson', 'files', 'terminal'] as const).map((sheet) => (
          <button
            key={sheet}
            type="button"
            aria-pressed={sheet === current}
            onClick={() => {
              onTurn(sheet);
            }}
          >
            {{ lesson: texts.panelTitle, files: texts.files, terminal: texts.terminal }[sheet]}
          </button>
        ))}
      </nav>
    );
  }
  return (
    <div className="hx-status" lang={lesson.locale}>
      <button type="button" title={texts.panelTitle} onClick={onShow}>
        {texts.stepOf(number, lesson.steps.length)}
      </button>
      <MachineFacts connection={connection} machine={machine} texts={texts} />
    </div>
  );
}
