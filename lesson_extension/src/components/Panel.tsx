/** The whole panel: state in, wishes out. */
import { useEffect, useRef, type JSX } from 'react';

import type { Announcement, LessonState, MachineState } from '../state';
import type { Texts } from '../texts';
import type { Lesson, Outcome, Preview } from '../wire';
import { Actions } from './Actions';
import { ConnectionBanner, NoticeBanner, ProblemBanner } from './Banners';
import { Finished, SolutionView } from './Finished';
import { Header } from './Header';
import { Lessons } from './Lessons';
import type { MarkdownTools } from './Markdown';
import { countOf, headlineOf, type ResultTools } from './OutcomeView';
import { Previews } from './Previews';
import { RecordedLink, Records } from './Records';
import { StartOver, type StartOverWishes } from './StartOver';
import { MachineFacts } from './Status';
import { StepItem } from './StepItem';
import { Theory } from './Theory';

/** What a student can wish for. */
export interface PanelWishes {
  readonly onCheck: () => void;
  readonly onHint: () => void;
  readonly onDone: () => void;
  readonly onRetry: () => void;
  readonly onDismiss: () => void;
  readonly onShowSolution: () => void;
  readonly onHideSolution: () => void;
  readonly onOpenStep: (name: string | null) => void;
  readonly onTheory: (isOpen: boolean) => void;
  readonly onLocale: (locale: string) => void;
  readonly onPreview: (preview: Preview) => void;
  readonly onCancel: () => void;
  readonly onHistory: (step: string) => void;
  readonly startOver: StartOverWishes;
  readonly onCompareSolution: (path: string, yours: string, authors: string) => void;
}

/** Properties of {@link Panel}. */
export interface PanelProps {
  readonly state: LessonState;
  readonly machine: MachineState;
  readonly texts: Texts;
  readonly markdown: MarkdownTools;
  readonly tools: ResultTools;
  /** Keys that press Check, as people read them. */
  readonly checkKeys: string;
  /** The panel fills a page that has no room for what the status bar tells. */
  readonly isNarrow: boolean;
  readonly wishes: PanelWishes;
}

/** Give the page that starts the machine of this lesson. */
function openUrlOf(lesson: Lesson | null): string | null {
  return lesson && `${lesson.course.url}/lessons/${lesson.lesson.name}/open`;
}

function resultInWords(outcome: Outcome, texts: Texts): string {
  return [headlineOf(outcome, texts), outcome.message, countOf(outcome, texts)]
    .filter((words) => words !== '')
    .map((words) => words.replace(/\.?$/, '.'))
    .join(' ');
}

/** Say an announcement in words. */
export function spokenOf(
  announcement: Announcement | null,
  lesson: Lesson | null,
  texts: Texts,
): string {
  if (announcement === null) {
    return '';
  }
  const { what } = announcement;
  const title = (name: string): string =>
    lesson?.steps.find((step) => step.name === name)?.title ?? name;
  switch (what.kind) {
    case 'running':
      return texts.announceRunning;
    case 'cancelled':
      return texts.announceCancelled;
    case 'hint':
      return texts.announceHint;
    case 'result':
      return what.attempt.outcome === null ? '' : resultInWords(what.attempt.outcome, texts);
    case 'notice': {
      const passed = texts.announcePassed(title(what.notice.step));
      if (what.notice.kind === 'finished') {
        return `${passed} ${texts.announceFinished}`;
      }
      return what.notice.next === null
        ? passed
        : `${passed} ${texts.announceOpened(title(what.notice.next))}`;
    }
  }
}

/**
 * Bring the step that opened, or the end of the lesson, into view once; the focus goes there only
 * from within the panel, never away from an editor or a terminal.
 */
function useArrival(state: LessonState): React.RefObject<HTMLDivElement> {
  const panel = useRef<HTMLDivElement>(null);
  const { notice } = state;
  useEffect(() => {
    if (notice === null || panel.current === null) {
      return;
    }
    const id =
      notice.kind === 'finished'
        ? 'hx-finished'
        : notice.next !== null && `hx-step-${notice.next}-head`;
    const target = id === false ? null : panel.current.querySelector<HTMLElement>(`#${id}`);
    if (target === null) {
      return;
    }
    const focused = document.activeElement;
    if (focused === document.body || panel.current.contains(focused)) {
      target.focus({ preventScroll: true });
    }
    panel.current.querySelector('.hx-banner-passed, #hx-finished')?.scrollIntoView({
      block: 'nearest',
    });
  }, [notice]);
  return panel;
}

function Steps(props: PanelProps & { readonly lesson: Lesson }): JSX.Element {
  const { state, lesson, texts, markdown, tools, wishes } = props;
  return (
    <ol className="hx-steps" aria-label={texts.steps}>
      {lesson.steps.map((step, index) => (
        <StepItem
          key={step.name}
          step={step}
          index={index + 1}
          isOpen={state.openStep === step.name}
          attempt={state.attempts[step.name] ?? null}
          history={state.history[step.name] ?? null}
          locale={state.locale}
          texts={texts}
          markdown={markdown}
          tools={tools}
          onHistory={() => {
            wishes.onHistory(step.name);
          }}
          onToggle={() => {
            wishes.onOpenStep(state.openStep === step.name ? null : step.name);
          }}
        />
      ))}
    </ol>
  );
}

function Content(props: PanelProps & { readonly lesson: Lesson }): JSX.Element {
  const { state, lesson, texts, markdown, wishes } = props;
  return (
    <>
      {state.notice !== null && (
        <NoticeBanner
          notice={state.notice}
          lesson={lesson}
          texts={texts}
          onDismiss={wishes.onDismiss}
        />
      )}
      {lesson.lesson.is_finished && <Finished lesson={lesson} texts={texts} />}
      <Records lesson={lesson} texts={texts} />
      <Theory
        source={lesson.lesson.theory}
        isOpen={state.isTheoryOpen}
        texts={texts}
        markdown={markdown}
        onToggle={wishes.onTheory}
      />
      <Steps {...props} />
      <SolutionView
        reason={lesson.solution.is_available ? null : (lesson.solution.reason ?? '')}
        solution={state.solution}
        yours={state.yours}
        isBusy={state.busy === 'solution'}
        texts={texts}
        onShow={wishes.onShowSolution}
        onHide={wishes.onHideSolution}
        onCompare={wishes.onCompareSolution}
      />
      <StartOver
        lesson={lesson}
        openStep={state.openStep}
        machine={props.machine}
        locale={state.locale}
        texts={texts}
        wishes={wishes.startOver}
      />
      <Lessons lesson={lesson} texts={texts} />
      <RecordedLink lesson={lesson} texts={texts} />
    </>
  );
}

function Banners({ state, texts, wishes }: PanelProps): JSX.Element {
  return (
    <div className="hx-banners">
      <ConnectionBanner
        connection={state.connection}
        openUrl={openUrlOf(state.lesson)}
        texts={texts}
        onRetry={wishes.onRetry}
      />
      {state.problem !== null && (
        <ProblemBanner problem={state.problem} texts={texts} onDismiss={wishes.onDismiss} />
      )}
    </div>
  );
}

function Foot(props: PanelProps & { readonly lesson: Lesson }): JSX.Element {
  const { state, lesson, texts, checkKeys, wishes } = props;
  const step = lesson.steps.find((known) => known.name === state.openStep) ?? null;
  return (
    <>
      <Previews previews={lesson.lesson.preview} texts={texts} onOpen={wishes.onPreview} />
      <Actions
        step={step}
        activity={state.activity}
        isBusy={state.busy !== null}
        isOnline={state.connection.kind === 'online'}
        hasResult={step !== null && state.attempts[step.name]?.state === 'done'}
        checkKeys={checkKeys}
        texts={texts}
        onCheck={wishes.onCheck}
        onHint={wishes.onHint}
        onDone={wishes.onDone}
        onCancel={wishes.onCancel}
      />
      {props.isNarrow && (
        <div className="hx-facts">
          <MachineFacts connection={state.connection} machine={props.machine} texts={texts} />
        </div>
      )}
    </>
  );
}

/** The lesson beside the work. */
export function Panel(props: PanelProps): JSX.Element {
  const { state, texts, wishes } = props;
  const { lesson } = state;
  const panel = useArrival(state);
  return (
    <div className="hx-panel" lang={lesson?.locale ?? state.locale} ref={panel}>
      {lesson !== null && (
        <Header
          lesson={lesson}
          texts={texts}
          openStep={state.openStep}
          onLocale={wishes.onLocale}
          onStep={wishes.onOpenStep}
        />
      )}
      <Banners {...props} />
      <div className="hx-scroll">
        {lesson === null ? (
          state.connection.kind === 'loading' &&
          state.problem === null && <p className="hx-loading">{texts.loading}</p>
        ) : (
          <Content {...props} lesson={lesson} />
        )}
      </div>
      {lesson !== null && <Foot {...props} lesson={lesson} />}
      <div className="hx-spoken" role="status" aria-live="polite">
        <span key={state.announcement?.id ?? 0}>{spokenOf(state.announcement, lesson, texts)}</span>
      </div>
    </div>
  );
}
