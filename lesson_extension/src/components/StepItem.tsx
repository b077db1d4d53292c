/** One step: a heading that unfolds, its task, its hints and its last result. */
import { useEffect, useRef, type JSX } from 'react';

import type { Texts } from '../texts';
import type { Attempt, Step } from '../wire';
import { Hints } from './Hints';
import { Icon } from './icons';
import { Markdown, type MarkdownTools } from './Markdown';
import { History } from './History';
import { OutcomeView, type ResultTools } from './OutcomeView';

/** Properties of {@link StepItem}. */
export interface StepItemProps {
  readonly step: Step;
  /** Counted from 1. */
  readonly index: number;
  readonly isOpen: boolean;
  readonly attempt: Attempt | null;
  /** Finished attempts, the newest first; null until they were asked for. */
  readonly history: readonly Attempt[] | null;
  readonly locale: string;
  readonly texts: Texts;
  readonly markdown: MarkdownTools;
  readonly tools: ResultTools;
  readonly onToggle: () => void;
  readonly onHistory: () => void;
}

function LastResult(props: StepItemProps & { readonly attempt: Attempt }): JSX.Element | null {
  const { attempt, history, locale, texts, tools, onHistory } = props;
  const place = useRef<HTMLDivElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current && attempt.state === 'done') {
      place.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
    }
    isFirst.current = false;
  }, [attempt.id, attempt.state]);
  return (
    <div ref={place}>
      {attempt.outcome !== null && (
        <OutcomeView
          attempt={attempt}
          outcome={attempt.outcome}
          locale={locale}
          texts={texts}
          tools={tools}
        />
      )}
      <History
        newest={attempt}
        attempts={history}
        locale={locale}
        texts={texts}
        tools={tools}
        onLoad={onHistory}
      />
    </div>
  );
}

function Body(props: StepItemProps): JSX.Element {
  const { step, attempt, texts, markdown } = props;
  if (step.task === null) {
    return <p className="hx-note">{texts.lockedWhy}</p>;
  }
  return (
    <>
      <Markdown source={step.task} markdown={markdown} texts={texts} />
      <Hints step={step} texts={texts} markdown={markdown} />
      {attempt !== null && <LastResult {...props} attempt={attempt} />}
    </>
  );
}

/** A step of the list; its button carries the state in words for those who cannot see the sign. */
export function StepItem(props: StepItemProps): JSX.Element {
  const { step, index, isOpen, texts, onToggle } = props;
  const state = {
    locked: texts.stateLocked,
    open: texts.stateOpen,
    passed: texts.statePassed,
  }[step.state];
  const bodyId = `hx-step-${step.name}`;
  return (
    <li className={`hx-step hx-step-${step.state}${isOpen ? ' hx-unfolded' : ''}`}>
      <h3>
        <button
          type="button"
          className="hx-step-head"
          id={`${bodyId}-head`}
          aria-expanded={isOpen}
          aria-controls={bodyId}
          onClick={onToggle}
        >
          <span className="hx-sign" aria-hidden="true">
            {step.state === 'open' ? index : <Icon name={step.state} />}
          </span>
          <span className="hx-step-title">
            <span className="hx-spoken">{texts.stepNumber(index)}: </span>
            {step.title}
            <span className="hx-spoken">, {state}</span>
          </span>
          <Icon name="chevron" />
        </button>
      </h3>
      <div id={bodyId} className="hx-step-body" hidden={!isOpen}>
        {isOpen && <Body {...props} />}
      </div>
    </li>
  );
}
