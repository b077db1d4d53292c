/** The result of a check, test by test. Every text of it comes from a run and is drawn as text. */
import type { JSX } from 'react';

import type { Texts } from '../texts';
import type { Attempt, Outcome, TestResult } from '../wire';
import { Difference } from './Difference';
import { Icon } from './icons';
import { PlacedLines, type FileTools } from './PlacedLines';

/** Properties of {@link OutcomeView}. */
export interface OutcomeViewProps {
  readonly attempt: Attempt;
  readonly outcome: Outcome;
  readonly locale: string;
  readonly texts: Texts;
  readonly tools: ResultTools;
}

/** What can be done with a result. */
export interface ResultTools extends FileTools {
  /** Shows what was expected and what was found beside each other in a tab. */
  readonly onCompare: (title: string, expected: string, actual: string) => void;
}

/** Give the few words above a result. */
export function headlineOf(outcome: Outcome, texts: Texts): string {
  return {
    passed: texts.outcomePassed,
    failed: texts.outcomeFailed,
    error: texts.outcomeError,
    ungradable: texts.outcomeUngradable,
    cancelled: texts.outcomeCancelled,
  }[outcome.outcome];
}

/** Give "1 of 2 tests passed", or nothing where no test was run. */
export function countOf(outcome: Outcome, texts: Texts): string {
  const passed = outcome.tests.filter((test) => test.outcome === 'passed').length;
  return outcome.tests.length === 0 ? '' : texts.testsPassed(passed, outcome.tests.length);
}

function helpOf(outcome: Outcome, texts: Texts): string | null {
  return {
    passed: null,
    failed: texts.failedHelp,
    error: outcome.message === '' ? texts.errorHelp : null,
    ungradable: texts.ungradableHelp,
    cancelled: texts.cancelledHelp,
  }[outcome.outcome];
}

function TestLine(props: {
  readonly test: TestResult;
  readonly texts: Texts;
  readonly tools: ResultTools;
}): JSX.Element {
  const { test, texts, tools } = props;
  const spoken = {
    passed: texts.testPassed,
    failed: texts.testFailed,
    error: texts.testError,
    skipped: texts.testSkipped,
  }[test.outcome];
  return (
    <li className={`hx-test hx-test-${test.outcome}`}>
      <Icon name={test.outcome} />
      <div className="hx-test-body">
        <p className="hx-test-name">
          {test.name}
          <span className="hx-spoken">: {spoken}</span>
        </p>
        {test.message !== '' && (
          <p className="hx-test-message">
            <PlacedLines text={test.message} files={tools} texts={texts} />
          </p>
        )}
        {test.outcome !== 'passed' && (
          <Difference
            expected={test.expected}
            actual={test.actual}
            texts={texts}
            onCompare={(expected, actual) => {
              tools.onCompare(test.name, expected, actual);
            }}
          />
        )}
        {test.output !== '' && (
          <details className="hx-output">
            <summary>{texts.output}</summary>
            <pre tabIndex={0}>
              <PlacedLines text={test.output} files={tools} texts={texts} />
            </pre>
          </details>
        )}
      </div>
    </li>
  );
}

/** Give the time of day; with the day before it where that is not today. */
export function timeOf(iso: string, locale: string): string {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(locale, {
    timeStyle: 'short',
    ...(isToday ? {} : { dateStyle: 'medium' }),
  }).format(at);
}

function whenOf(attempt: Attempt, at: string, locale: string, texts: Texts): string {
  if (attempt.regraded === null) {
    return texts.checkedAt(timeOf(at, locale));
  }
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  return texts.regradedOn(day.format(new Date(at)), attempt.regraded.course_version);
}

/** A headline, what to do now, and one line a test. */
export function OutcomeView(props: OutcomeViewProps): JSX.Element {
  const { attempt, outcome, locale, texts, tools } = props;
  const help = helpOf(outcome, texts);
  const count = countOf(outcome, texts);
  return (
    <section className={`hx-outcome hx-outcome-${outcome.outcome}`}>
      <header>
        <h4>{headlineOf(outcome, texts)}</h4>
        {count !== '' && <span className="hx-count">{count}</span>}
      </header>
      {outcome.message !== '' && (
        <p className="hx-outcome-message">
          <PlacedLines text={outcome.message} files={tools} texts={texts} />
        </p>
      )}
      {help !== null && <p className="hx-note">{help}</p>}
      {outcome.tests.length > 0 && (
        <ul className="hx-tests">
          {outcome.tests.map((test) => (
            <TestLine key={test.id} test={test} texts={texts} tools={tools} />
          ))}
        </ul>
      )}
      {attempt.finished_at !== null && (
        <p className="hx-when">{whenOf(attempt, attempt.finished_at, locale, texts)}</p>
      )}
    </section>
  );
}
