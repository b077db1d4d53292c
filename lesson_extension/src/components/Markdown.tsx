/** Markdown of a lesson, drawn by what the panel was given, with buttons at its blocks of code. */
import { useEffect, useRef, type JSX } from 'react';

import type { BlockAction, CodeBlock } from '../actions';
import type { Texts } from '../texts';

/** A drawn text, and its blocks of code that offer something. */
export interface Rendered {
  readonly element: HTMLElement;
  readonly blocks: ReadonlyMap<Element, CodeBlock>;
}

/** Turns Markdown into an element; cleans it of everything that could run. */
export type RenderMarkdown = (source: string) => Promise<Rendered>;

/** What drawing Markdown needs. */
export interface MarkdownTools {
  readonly render: RenderMarkdown;
  /** Does what a block offers; `code` is its text. Not called for `copy`. */
  readonly onAction: (action: BlockAction, code: string) => void;
}

/** Properties of {@link Markdown}. */
export interface MarkdownProps {
  readonly source: string;
  readonly markdown: MarkdownTools;
  readonly texts: Texts;
}

const COPIED_MS = 1_500;

function makeButton(className: string, label: string, onClick: () => void): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = className;
  button.textContent = label;
  button.addEventListener('click', onClick);
  return button;
}

function labelOf(action: BlockAction, texts: Texts): string {
  switch (action.kind) {
    case 'run':
      return texts.blockRun;
    case 'open':
      return texts.blockOpen(action.path, action.line);
    case 'preview':
      return texts.blockPreview(action.port);
    case 'copy':
      return texts.copy;
  }
}

function makeCopyButton(code: string, isOffered: boolean, texts: Texts): HTMLButtonElement {
  const button = makeButton(isOffered ? 'hx-copy hx-offered' : 'hx-copy', texts.copy, () => {
    void navigator.clipboard.writeText(code).then(() => {
      button.textContent = texts.copied;
      setTimeout(() => {
        button.textContent = texts.copy;
      }, COPIED_MS);
    });
  });
  return button;
}

/** Put each block of code into a frame with its buttons: what it offers, and copying. */
function addButtons(rendered: Rendered, markdown: MarkdownTools, texts: Texts): void {
  for (const block of rendered.element.querySelectorAll('pre')) {
    const action = rendered.blocks.get(block)?.action ?? null;
    const code = block.textContent.replace(/\n$/, '');
    const frame = document.createElement('div');
    frame.className = 'hx-code';
    // Long lines are scrolled to by the keyboard too.
    block.tabIndex = 0;
    block.replaceWith(frame);
    if (code.trim() !== '') {
      frame.append(block, makeCopyButton(code, action?.kind === 'copy', texts));
    }
    if (action !== null && action.kind !== 'copy') {
      frame.append(
        makeButton(`hx-block-action hx-block-${action.kind}`, labelOf(action, texts), () => {
          markdown.onAction(action, code);
        }),
      );
    }
  }
}

/** One piece of Markdown; the old one stays until the new one is drawn, so that nothing jumps. */
export function Markdown({ source, markdown, texts }: MarkdownProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let isCurrent = true;
    void markdown.render(source).then((rendered) => {
      if (isCurrent && place.current !== null) {
        addButtons(rendered, markdown, texts);
        place.current.replaceChildren(rendered.element);
      }
    });
    return () => {
      isCurrent = false;
    };
  }, [source, markdown, texts]);
  return <div className="hx-markdown" ref={place} />;
}
