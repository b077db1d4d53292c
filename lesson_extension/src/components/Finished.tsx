/** The end of a lesson: congratulation, the way on, and the author's solution. */
import type { JSX } from 'react';

import type { Texts } from '../texts';
import type { Lesson, Solution } from '../wire';
import { SideBySide } from './Difference';
import { Icon } from './icons';

/** Properties of {@link Finished}. */
export interface FinishedProps {
  readonly lesson: Lesson;
  readonly texts: Texts;
}

/** Congratulation and the links onward. */
export function Finished({ lesson, texts }: FinishedProps): JSX.Element {
  return (
    <section className="hx-finished" id="hx-finished" tabIndex={-1}>
      <h3>
        <Icon name="passed" />
        {texts.finishedTitle}
      </h3>
      <p>{texts.finishedText}</p>
      {lesson.next_lesson !== null && (
        <a className="hx-button hx-primary" href={lesson.next_lesson.url} target="_top">
          <span>{texts.nextLesson(lesson.next_lesson.title)}</span>
          <Icon name="next" />
        </a>
      )}
      <a className="hx-plain-link" href={lesson.course.url} target="_top">
        {texts.toCourse}
      </a>
    </section>
  );
}

/** Properties of {@link SolutionView}. */
export interface SolutionViewProps {
  /** Why it may not be had, or null when it may. */
  readonly reason: string | null;
  readonly solution: Solution | null;
  /** Path of a file of the solution → the student's file there; null where there is none. */
  readonly yours: Readonly<Record<string, string | null>>;
  readonly isBusy: boolean;
  readonly texts: Texts;
  readonly onShow: () => void;
  readonly onHide: () => void;
  /** Shows the student's file beside the author's in a tab. */
  readonly onCompare: (path: string, yours: string, authors: string) => void;
}

function SolutionText(
  props: SolutionViewProps & { readonly path: string; readonly text: string },
): JSX.Element {
  const { path, text, yours, texts, onCompare } = props;
  const own = yours[path] ?? null;
  if (own === null) {
    return (
      <>
        <p className="hx-note">{texts.solutionNotYours}</p>
        <pre tabIndex={0}>{text}</pre>
      </>
    );
  }
  if (own === text) {
    return <p className="hx-note">{texts.solutionSame}</p>;
  }
  return (
    <>
      <SideBySide
        left={own}
        right={text}
        leftLabel={texts.yours}
        rightLabel={texts.authors}
        hasNumbers={false}
        texts={texts}
      />
      <button
        type="button"
        className="hx-link"
        onClick={() => {
          onCompare(path, own, text);
        }}
      >
        {texts.compareInTab}
      </button>
    </>
  );
}

function SolutionFiles(props: SolutionViewProps & { readonly solution: Solution }): JSX.Element {
  const { solution, texts } = props;
  return (
    <>
      {solution.script !== null && (
        <figure className="hx-file">
          <figcaption>{texts.solutionScript}</figcaption>
          <pre tabIndex={0}>{solution.script}</pre>
        </figure>
      )}
      {solution.files.map((file) => (
        <figure key={file.path} className="hx-file">
          <figcaption>
            <code>{file.path}</code>
          </figcaption>
          {file.text === null ? (
            <p className="hx-note">{texts.binaryFile}</p>
          ) : (
            <SolutionText {...props} path={file.path} text={file.text} />
          )}
        </figure>
      ))}
      {solution.script === null && solution.files.length === 0 && (
        <p className="hx-note">{texts.noSolutionFiles}</p>
      )}
    </>
  );
}

/** The author's solution behind a button; only the reason while it may not be had. */
export function SolutionView(props: SolutionViewProps): JSX.Element {
  const { reason, solution, isBusy, texts, onShow, onHide } = props;
  return (
    <section className="hx-solution">
      <h3>{texts.solution}</h3>
      {reason !== null ? (
        <p className="hx-note">{reason}</p>
      ) : (
        <button
          type="button"
          className="hx-button"
          disabled={isBusy}
          aria-expanded={solution !== null}
          onClick={solution === null ? onShow : onHide}
        >
          {solution === null ? texts.showSolution : texts.hideSolution}
        </button>
      )}
      {reason === null && solution !== null && <SolutionFiles {...props} solution={solution} />}
    </section>
  );
}
