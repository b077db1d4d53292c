/** Hints that were taken, and why there is no further one yet. */
import { useEffect, useRef, type JSX } from 'react';

import type { Texts } from '../texts';
import type { Step } from '../wire';
import { Icon } from './icons';
import { Markdown, type MarkdownTools } from './Markdown';

/** Properties of {@link Hints}. */
export interface HintsProps {
  readonly step: Step;
  readonly texts: Texts;
  readonly markdown: MarkdownTools;
}

/** The hints of one step; nothing where it has none, or none was taken. */
export function Hints({ step, texts, markdown }: HintsProps): JSX.Element | null {
  const { taken, total } = step.hints;
  const list = useRef<HTMLOListElement>(null);
  const known = useRef(taken.length);
  useEffect(() => {
    if (taken.length > known.current) {
      list.current?.lastElementChild?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
    }
    known.current = taken.length;
  }, [taken.length]);
  if (taken.length === 0) {
    return null;
  }
  return (
    <ol className="hx-hints" ref={list}>
      {taken.map((source, index) => (
        <li key={index} className="hx-hint">
          <h4>
            <Icon name="hint" />
            {texts.hintTitle(index + 1, total)}
          </h4>
          <Markdown source={source} markdown={markdown} texts={texts} />
        </li>
      ))}
    </ol>
  );
}
