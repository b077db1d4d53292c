/** Results of earlier attempts at a step, with their times; asked for when they are unfolded. */
import { useEffect, useState, type JSX } from 'react';

import type { Texts } from '../texts';
import type { Attempt, Outcome } from '../wire';
import { Icon, type IconName } from './icons';
import { countOf, headlineOf, OutcomeView, timeOf, type ResultTools } from './OutcomeView';

/** Properties of {@link History}. */
export interface HistoryProps {
  /** The newest attempt, which is shown above. */
  readonly newest: Attempt;
  /** Finished attempts, the newest first; null until they were asked for. */
  readonly attempts: readonly Attempt[] | null;
  readonly locale: string;
  readonly texts: Texts;
  readonly tools: ResultTools;
  readonly onLoad: () => void;
}

function signOf(outcome: Outcome): IconName {
  const hasNoVerdict = outcome.outcome === 'ungradable' || outcome.outcome === 'cancelled';
  return hasNoVerdict ? 'skipped' : outcome.outcome;
}

function Earlier(props: HistoryProps & { readonly attempt: Attempt; readonly outcome: Outcome }) {
  const { attempt, outcome, locale, texts, tools } = props;
  const [isOpen, setIsOpen] = useState(false);
  const time = timeOf(attempt.finished_at ?? attempt.requested_at, locale);
  return (
    <li>
      <button
        type="button"
        className={`hx-earlier hx-earlier-${outcome.outcome}`}
        aria-expanded={isOpen}
        onClick={() => {
          setIsOpen(!isOpen);
        }}
      >
        <Icon name={signOf(outcome)} />
        <span className="hx-earlier-what">{headlineOf(outcome, texts)}</span>
        <span className="hx-count">
          {[countOf(outcome, texts), attempt.regraded === null ? '' : texts.regraded]
            .filter((part) => part !== '')
            .join(' · ')}
        </span>
        <time dateTime={attempt.finished_at ?? attempt.requested_at}>{time}</time>
      </button>
      {isOpen && (
        <OutcomeView
          attempt={attempt}
          outcome={outcome}
          locale={locale}
          texts={texts}
          tools={tools}
        />
      )}
    </li>
  );
}

/** A fold with one line for each earlier attempt, which unfolds to its whole result. */
export function History(props: HistoryProps): JSX.Element {
  const { newest, attempts, texts, onLoad } = props;
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    if (isOpen) {
      onLoad();
    }
    // Asked for again when there is a newer result; `onLoad` is another function at each drawing.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isOpen, newest.id]);
  const earlier = (attempts ?? []).filter((attempt) => attempt.id !== newest.id);
  return (
    <details
      className="hx-history"
      onToggle={(event) => {
        setIsOpen(event.currentTarget.open);
      }}
    >
      <summary>{texts.earlierAttempts}</summary>
      {attempts === null ? (
        <p className="hx-note">{texts.earlierLoading}</p>
      ) : earlier.length === 0 ? (
        <p className="hx-note">{texts.earlierNone}</p>
      ) : (
        <ol>
          {earlier.map(
            (attempt) =>
              attempt.outcome !== null && (
                <Earlier key={attempt.id} {...props} attempt={attempt} outcome={attempt.outcome} />
              ),
          )}
        </ol>
      )}
    </details>
  );
}
