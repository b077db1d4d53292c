/** What to read before the steps; folded once it was read. */
import { useRef, type JSX } from 'react';

import type { Texts } from '../texts';
import { Icon } from './icons';
import { Markdown, type MarkdownTools } from './Markdown';

/** Properties of {@link Theory}. */
export interface TheoryProps {
  readonly source: string;
  readonly isOpen: boolean;
  readonly texts: Texts;
  readonly markdown: MarkdownTools;
  readonly onToggle: (isOpen: boolean) => void;
}

/** The theory of the lesson; nothing where it has none. */
export function Theory(props: TheoryProps): JSX.Element | null {
  const { source, isOpen, texts, markdown, onToggle } = props;
  const head = useRef<HTMLButtonElement>(null);
  if (source.trim() === '') {
    return null;
  }
  const fold = (): void => {
    onToggle(false);
    // The button that was pressed is gone; the steps have moved up.
    head.current?.focus({ preventScroll: true });
    head.current?.scrollIntoView({ block: 'start' });
  };
  return (
    <section className={`hx-theory${isOpen ? ' hx-unfolded' : ''}`}>
      <h3>
        <button
          type="button"
          className="hx-theory-head"
          ref={head}
          aria-expanded={isOpen}
          aria-controls="hx-theory-body"
          onClick={() => {
            onToggle(!isOpen);
          }}
        >
          <span>{texts.theory}</span>
          <Icon name="chevron" />
        </button>
      </h3>
      <div id="hx-theory-body" hidden={!isOpen}>
        {isOpen && (
          <>
            <Markdown source={source} markdown={markdown} texts={texts} />
            <button type="button" className="hx-button" onClick={fold}>
              {texts.theoryRead}
            </button>
          </>
        )}
      </div>
    </section>
  );
}
