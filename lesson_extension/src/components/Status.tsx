/** The lesson in the status bar: which step, whether the hub answers, what the machine has left. */
import type { JSX } from 'react';

import type { Connection, LessonState } from '../state';
import type { Texts } from '../texts';

/** Properties of {@link Status}. */
export interface StatusProps {
  readonly state: LessonState;
  readonly texts: Texts;
  /** One thing is shown at a time. */
  readonly isNarrow: boolean;
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

/** One line; pressing the step shows the lesson. */
export function Status(props: StatusProps): JSX.Element | null {
  const { state, texts, isNarrow, onShow, onTurn } = props;
  const { lesson, openStep, connection } = state;
  if (lesson === null) {
    return null;
  }
  const shown = openStep ?? lesson.current_step;
  const number = lesson.steps.findIndex((step) => step.name === shown) + 1;
  if (isNarrow) {
    return (
      <nav className="hx-status" lang={lesson.locale} aria-label={texts.sheets}>
        {(['lesson', 'files', 'terminal'] as const).map((sheet) => (
          <button
            key={sheet}
            type="button"
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
      <button type="button" title={texts.commandShow} onClick={onShow}>
        {texts.stepOf(number, lesson.steps.length)}
      </button>
      <span className={`hx-status-connection hx-status-${connection.kind}`}>
        {wordsOf(connection, texts)}
      </span>
    </div>
  );
}
