/** The result of a check, test by test. Every text of it comes from a run and is drawn as text. */
import type { JSX } from 'react';

import type { Texts } from '../texts';
import type { Attempt, Outcome, TestResult } from '../wire';
import { Difference } from './Difference';
import { Icon } from './icons';

/** Properties of {@link OutcomeView}. */
export interface OutcomeViewProps {
  readonly attempt: Attempt;
  readonly outcome: Outcome;
  readonly locale: string;
  readonly texts: Texts;
}

/** Give the few words above a result. */
export function headlineOf(outcome: Outcome, texts: Texts): string {
  return {
    passed: texts.outcomePassed,
    failed: texts.outcomeFailed,
    error: texts.outcomeError,
    ungradable: texts.outcomeUngradable,
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
  }[outcome.outcome];
}

function TestLine({ test, texts }: { readonly test: TestResult; readonly texts: Texts }) {
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
        {test.message !== '' && <p className="hx-test-message">{test.message}</p>}
        {test.outcome !== 'passed' && (
          <Difference expected={test.expected} actual={test.actual} texts={texts} />
        )}
        {test.output !== '' && (
          <details className="hx-output">
            <summary>{texts.output}</summary>
            <pre tabIndex={0}>{test.output}</pre>
          </details>
        )}
      </div>
    </li>
  );
}

function timeOf(iso: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: 'short' }).format(new Date(iso));
}

/** A headline, what to do now, and one line a test. */
export function OutcomeView(props: OutcomeViewProps): JSX.Element {
  const { attempt, outcome, locale, texts } = props;
  const help = helpOf(outcome, texts);
  const count = countOf(outcome, texts);
  return (
    <section className={`hx-outcome hx-outcome-${outcome.outcome}`}>
      <header>
        <h4>{headlineOf(outcome, texts)}</h4>
        {count !== '' && <span className="hx-count">{count}</span>}
      </header>
      {outcome.message !== '' && <p className="hx-outcome-message">{outcome.message}</p>}
      {help !== null && <p className="hx-note">{help}</p>}
      {outcome.tests.length > 0 && (
        <ul className="hx-tests">
          {outcome.tests.map((test) => (
            <TestLine key={test.id} test={test} texts={texts} />
          ))}
        </ul>
      )}
      {attempt.finished_at !== null && (
        <p className="hx-when">{texts.checkedAt(timeOf(attempt.finished_at, locale))}</p>
      )}
    </section>
  );
}
