/** Markdown of a lesson, drawn by JupyterLab's own renderer. */
import { Sanitizer } from '@jupyterlab/apputils';
import { markdownRendererFactory, type IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { readInfo, type CodeBlock } from '../actions';
import type { Rendered, RenderMarkdown } from '../components/Markdown';

const MIME_TYPE = 'text/markdown';
const LANGUAGE = /^language-(?<info>.*)$/s;
/** How a text of the lesson names a picture of it, from whichever folder. */
const IMAGE = /^(?:\.{0,2}\/)*images\/(?<name>[A-Za-z0-9][A-Za-z0-9._-]{0,99})$/;

/** Gives the address of a picture of the lesson. */
export type FindImage = (name: string) => Promise<string>;

/** Make links leave the lesson alone: they open in a tab of their own, which learns nothing. */
function openLinksOutside(element: HTMLElement): void {
  for (const link of element.querySelectorAll('a[href]')) {
    const address = link.getAttribute('href') ?? '';
    if (address === '') {
      // What is left of an address that was refused: it would load the page anew.
      link.removeAttribute('href');
    } else if (!address.startsWith('#')) {
      link.setAttribute('target', '_blank');
      link.setAttribute('rel', 'noopener noreferrer');
    }
  }
  for (const anchor of element.querySelectorAll('.jp-InternalAnchorLink')) {
    anchor.remove();
  }
}

/** Leave of forms what stands in them: the button of one would load the page anew. */
function dissolveForms(element: HTMLElement): void {
  for (const form of element.querySelectorAll('form')) {
    form.replaceWith(...form.childNodes);
  }
}

/** Put the lesson's own pictures in; one that is not there shows its words. */
async function fillImages(element: HTMLElement, findImage: FindImage): Promise<void> {
  const images = [...element.querySelectorAll('img')].map(async (image) => {
    const name = IMAGE.exec(image.getAttribute('src') ?? '')?.groups?.name;
    if (name !== undefined) {
      image.removeAttribute('src');
      image.src = await findImage(name).catch(() => '');
    }
  });
  await Promise.all(images);
}

/** Give the element of a Markdown text, cleaned by JupyterLab's rules. */
async function draw(
  rendermime: IRenderMimeRegistry,
  sanitizer: Sanitizer,
  source: string,
): Promise<HTMLElement> {
  const renderer = markdownRendererFactory.createRenderer({
    mimeType: MIME_TYPE,
    resolver: null,
    sanitizer,
    linkHandler: null,
    latexTypesetter: rendermime.latexTypesetter,
    markdownParser: rendermime.markdownParser,
  });
  await renderer.renderModel(
    rendermime.createModel({ data: { [MIME_TYPE]: source }, trusted: false }),
  );
  const element = document.createElement('div');
  element.className = 'jp-RenderedHTMLCommon';
  element.append(...renderer.node.childNodes);
  renderer.dispose();
  return element;
}

/** Give a fence that no line of `code` can close. */
function fenceFor(code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map((run) => run[0].length));
  return '`'.repeat(longest + 1);
}

/**
 * Find the blocks of code that offer something, and draw each anew from its bare text: JupyterLab
 * knows a language only where it stands alone behind the fence, and what a button sends must be what
 * is seen, also where a lesson writes the block in HTML.
 */
async function readBlocks(
  element: HTMLElement,
  drawAnew: (source: string) => Promise<HTMLElement>,
): Promise<ReadonlyMap<Element, CodeBlock>> {
  const blocks = new Map<Element, CodeBlock>();
  for (const code of element.querySelectorAll('pre > code')) {
    const info = LANGUAGE.exec(code.className)?.groups?.info ?? '';
    const old = code.parentElement;
    const block = readInfo(info);
    if (old === null || (info === block.language && block.action === null)) {
      continue;
    }
    const text = old.textContent.replace(/\n$/, '');
    const fence = fenceFor(text);
    const drawn = await drawAnew(`${fence}${block.language}\n${text}\n${fence}\n`);
    const pre = drawn.querySelector('pre');
    if (pre !== null) {
      old.replaceWith(pre);
      blocks.set(pre, block);
    }
  }
  return blocks;
}

/**
 * Make the function that turns a lesson's Markdown into an element.
 *
 * The text is untrusted: it is sanitised with JupyterLab's rules, and without the attributes that
 * run commands (`data-commandlinker-command`), so that a lesson can say things but not do them.
 */
export function makeMarkdownRenderer(
  rendermime: IRenderMimeRegistry,
  findImage: FindImage,
): RenderMarkdown {
  const sanitizer = new Sanitizer();
  sanitizer.setAllowCommandLinker(false);
  return async (source): Promise<Rendered> => {
    const element = await draw(rendermime, sanitizer, source);
    const blocks = await readBlocks(element, (text) => draw(rendermime, sanitizer, text));
    openLinksOutside(element);
    dissolveForms(element);
    void fillImages(element, findImage);
    if (source.includes('$')) {
      // A formula may be a link.
      void Promise.resolve(rendermime.latexTypesetter?.typeset(element)).then(() => {
        openLinksOutside(element);
      });
    }
    return { element, blocks };
  };
}
