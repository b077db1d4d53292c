/** Where the student is: course, lesson, how far, and in which language. */
import type { JSX } from 'react';

import { stepBeside } from '../state';
import type { Texts } from '../texts';
import type { Lesson } from '../wire';
import { Icon } from './icons';

/** Properties of {@link Header}. */
export interface HeaderProps {
  readonly lesson: Lesson;
  readonly texts: Texts;
  /** The step that is unfolded. */
  readonly openStep: string | null;
  readonly onLocale: (locale: string) => void;
  readonly onStep: (name: string) => void;
}

function StepButton(props: HeaderProps & { readonly by: 1 | -1 }): JSX.Element {
  const { lesson, openStep, texts, by, onStep } = props;
  const target = stepBeside(lesson, openStep, by);
  const label = by > 0 ? texts.nextStep : texts.previousStep;
  return (
    <button
      type="button"
      className={`hx-turn ${by > 0 ? 'hx-turn-next' : 'hx-turn-previous'}`}
      aria-label={label}
      title={label}
      aria-disabled={target === null}
      onClick={() => {
        if (target !== null) {
          onStep(target);
        }
      }}
    >
      <Icon name="chevron" />
    </button>
  );
}

/** The top of the panel. */
export function Header(props: HeaderProps): JSX.Element {
  const { lesson, texts, onLocale } = props;
  const total = lesson.steps.length;
  const passed = lesson.steps.filter((step) => step.state === 'passed').length;
  return (
    <header className="hx-header">
      <div className="hx-header-row">
        <a
          className="hx-course"
          href={lesson.course.url}
          target="_top"
          title={texts.backToCourse(lesson.course.title)}
        >
          <Icon name="back" />
          <span>{lesson.course.title}</span>
        </a>
        {lesson.locales.length > 1 && (
          <div className="hx-locales" role="group" aria-label={texts.language}>
            {lesson.locales.map((locale) => (
              <button
                key={locale}
                type="button"
                lang={locale}
                aria-pressed={locale === lesson.locale}
                onClick={() => {
                  onLocale(locale);
                }}
              >
                {locale.toUpperCase()}
              </button>
            ))}
          </div>
        )}
      </div>
      <h2>{lesson.lesson.title}</h2>
      <div className="hx-progress">
        <div
          className="hx-progress-bar"
          role="progressbar"
          aria-label={texts.steps}
          aria-valuemin={0}
          aria-valuemax={total}
          aria-valuenow={passed}
          aria-valuetext={texts.stepsDone(passed, total)}
        >
          {lesson.steps.map((step) => (
            <span key={step.name} className={`hx-part hx-part-${step.state}`} />
          ))}
        </div>
        <span className="hx-progress-text" aria-hidden="true">
          {texts.stepsDone(passed, total)}
        </span>
        <div className="hx-turns">
          <StepButton {...props} by={-1} />
          <StepButton {...props} by={1} />
        </div>
      </div>
    </header>
  );
}
