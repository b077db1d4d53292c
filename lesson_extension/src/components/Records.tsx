/** What is recorded, said where it happens. */
import type { JSX } from 'react';

import type { Texts } from '../texts';
import type { Lesson } from '../wire';

/** Properties of {@link Records} and {@link RecordedLink}. */
export interface RecordsProps {
  readonly lesson: Lesson;
  readonly texts: Texts;
}

/** A line at the top of a lesson that records what is typed; nothing in any other. */
export function Records({ lesson, texts }: RecordsProps): JSX.Element | null {
  if (!lesson.lesson.records_commands) {
    return null;
  }
  return (
    <p className="hx-records" role="note">
      {texts.recordsCommands}{' '}
      <a href={lesson.recorded_url} target="_blank" rel="noopener">
        {texts.recordedLink}
      </a>
    </p>
  );
}

/** The way to all that is recorded, at the end of every lesson. */
export function RecordedLink({ lesson, texts }: RecordsProps): JSX.Element {
  return (
    <p className="hx-recorded">
      <a href={lesson.recorded_url} target="_blank" rel="noopener">
        {texts.recordedLink}
      </a>
    </p>
  );
}
