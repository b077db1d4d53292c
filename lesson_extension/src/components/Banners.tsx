/** What is wrong, in plain words and with the way out; and what just went well. */
import { useEffect, useState, type JSX } from 'react';

import type { Connection, Notice, Problem } from '../state';
import type { Texts } from '../texts';
import type { Lesson } from '../wire';
import { Icon } from './icons';

const TICK_MS = 1_000;

/** Give the time, and again each second while the component that asks is drawn. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, TICK_MS);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return now;
}

/** Properties of {@link ConnectionBanner}. */
export interface ConnectionBannerProps {
  readonly connection: Connection;
  /** Page that starts the machine again, where it is known. */
  readonly openUrl: string | null;
  readonly texts: Texts;
  readonly onRetry: () => void;
}

function OfflineBanner(props: {
  readonly retryAtMs: number;
  readonly texts: Texts;
  readonly onRetry: () => void;
}): JSX.Element {
  const { retryAtMs, texts, onRetry } = props;
  const seconds = Math.max(0, Math.round((retryAtMs - useNow()) / 1000));
  return (
    <div className="hx-banner hx-banner-offline" role="status">
      <Icon name="offline" />
      <div>
        <strong>{texts.offlineTitle}</strong>
        <p>{texts.offlineText}</p>
        <p>
          <span aria-hidden="true">{texts.offlineRetry(seconds)} · </span>
          <button type="button" className="hx-link" onClick={onRetry}>
            {texts.retryNow}
          </button>
        </p>
      </div>
    </div>
  );
}

/** Says that the hub or the machine is away; nothing while all is well. */
export function ConnectionBanner(props: ConnectionBannerProps): JSX.Element | null {
  const { connection, openUrl, texts, onRetry } = props;
  if (connection.kind === 'offline') {
    return <OfflineBanner retryAtMs={connection.retryAtMs} texts={texts} onRetry={onRetry} />;
  }
  if (connection.kind !== 'stopped') {
    return null;
  }
  return (
    <div className="hx-banner hx-banner-offline" role="status">
      <Icon name="error" />
      <div>
        <strong>{texts.stoppedTitle}</strong>
        <p>{texts.stoppedText}</p>
        {openUrl !== null && (
          <a href={openUrl} target="_top">
            {texts.stoppedOpen}
          </a>
        )}
      </div>
    </div>
  );
}

/** Properties of {@link ProblemBanner}. */
export interface ProblemBannerProps {
  readonly problem: Problem;
  readonly texts: Texts;
  readonly onDismiss: () => void;
}

/** Give the words for a problem: ours where it is ours, else those of the server. */
function wordsOf(problem: Problem, texts: Texts): string {
  switch (problem.code) {
    case 'save_failed':
      return texts.saveFailed(problem.message);
    case 'login_ended':
      return texts.loginEnded;
    case 'unexpected_answer':
      return `${texts.unexpectedAnswer} (${problem.message})`;
    default:
      return problem.message;
  }
}

/** Says what was refused, and why. */
export function ProblemBanner({ problem, texts, onDismiss }: ProblemBannerProps): JSX.Element {
  return (
    <div className="hx-banner hx-banner-problem" role="alert">
      <Icon name="error" />
      <div>
        <p>{wordsOf(problem, texts)}</p>
      </div>
      <button type="button" className="hx-close" aria-label={texts.dismiss} onClick={onDismiss}>
        <Icon name="close" />
      </button>
    </div>
  );
}

/** Properties of {@link NoticeBanner}. */
export interface NoticeBannerProps {
  readonly notice: Notice;
  readonly lesson: Lesson;
  readonly texts: Texts;
  readonly onDismiss: () => void;
}

/** Says that a step was passed, and which one is next. */
export function NoticeBanner(props: NoticeBannerProps): JSX.Element | null {
  const { notice, lesson, texts, onDismiss } = props;
  if (notice.kind !== 'step_passed') {
    return null;
  }
  const title = (name: string | null): string | null =>
    lesson.steps.find((step) => step.name === name)?.title ?? null;
  const next = title(notice.next);
  return (
    <div className="hx-banner hx-banner-passed">
      <Icon name="passed" />
      <div>
        <strong>{texts.stepPassedTitle(title(notice.step) ?? notice.step)}</strong>
        {next !== null && <p>{texts.stepPassedNext(next)}</p>}
      </div>
      <button type="button" className="hx-close" aria-label={texts.dismiss} onClick={onDismiss}>
        <Icon name="close" />
      </button>
    </div>
  );
}
