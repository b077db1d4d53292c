/** Markdown of a lesson, drawn by what the panel was given. */
import { useEffect, useRef, type JSX } from 'react';

/** Turns Markdown into an element; cleans it of everything that could run. */
export type RenderMarkdown = (source: string) => Promise<HTMLElement>;

/** Properties of {@link Markdown}. */
export interface MarkdownProps {
  readonly source: string;
  readonly render: RenderMarkdown;
  readonly copyLabel: string;
  readonly copiedLabel: string;
}

const COPIED_MS = 1_500;

/** Put a button on each block of code that copies it, since most of them belong in a terminal. */
function addCopyButtons(element: HTMLElement, label: string, copiedLabel: string): void {
  for (const block of element.querySelectorAll('pre')) {
    const frame = document.createElement('div');
    frame.className = 'hx-code';
    block.replaceWith(frame);
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'hx-copy';
    button.textContent = label;
    button.addEventListener('click', () => {
      const code = block.textContent.replace(/\n$/, '');
      void navigator.clipboard.writeText(code).then(() => {
        button.textContent = copiedLabel;
        setTimeout(() => {
          button.textContent = label;
        }, COPIED_MS);
      });
    });
    frame.append(block, button);
  }
}

/** One piece of Markdown; the old one stays until the new one is drawn, so that nothing jumps. */
export function Markdown(props: MarkdownProps): JSX.Element {
  const { source, render, copyLabel, copiedLabel } = props;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let isCurrent = true;
    void render(source).then((element) => {
      if (isCurrent && place.current !== null) {
        addCopyButtons(element, copyLabel, copiedLabel);
        place.current.replaceChildren(element);
      }
    });
    return () => {
      isCurrent = false;
    };
  }, [source, render, copyLabel, copiedLabel]);
  return <div className="hx-markdown" ref={place} />;
}
