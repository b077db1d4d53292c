/** The way to the lessons before and after this one. */
import type { JSX } from 'react';

import type { Texts } from '../texts';
import type { Lesson } from '../wire';
import { Icon } from './icons';

/** Properties of {@link Lessons}. */
export interface LessonsProps {
  readonly lesson: Lesson;
  readonly texts: Texts;
}

/** Links to the previous and the next lesson; nothing in a course of one. */
export function Lessons({ lesson, texts }: LessonsProps): JSX.Element | null {
  const { previous_lesson: previous, next_lesson: next } = lesson;
  if (previous === null && next === null) {
    return null;
  }
  return (
    <nav className="hx-lessons" aria-label={texts.lessons}>
      {previous !== null && (
        <a className="hx-lessons-previous" href={previous.url} target="_top" rel="prev">
          <Icon name="back" />
          <span>
            <small>{texts.previousLesson}</small>
            {previous.title}
          </span>
        </a>
      )}
      {next !== null && (
        <a className="hx-lessons-next" href={next.url} target="_top" rel="next">
          <span>
            <small>{texts.followingLesson}</small>
            {next.title}
          </span>
          <Icon name="chevron" />
        </a>
      )}
    </nav>
  );
}
