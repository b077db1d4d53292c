/** Markdown of a lesson, drawn by JupyterLab's own renderer. */
import { Sanitizer } from '@jupyterlab/apputils';
import { markdownRendererFactory, type IRenderMimeRegistry } from '@jupyterlab/rendermime';

import type { RenderMarkdown } from '../components/Markdown';

const MIME_TYPE = 'text/markdown';

/** Make links leave the lesson alone: they open in a tab of their own, which learns nothing. */
function openLinksOutside(element: HTMLElement): void {
  for (const link of element.querySelectorAll('a[href]')) {
    if (!link.getAttribute('href')?.startsWith('#')) {
      link.setAttribute('target', '_blank');
      link.setAttribute('rel', 'noopener noreferrer');
    }
  }
  for (const anchor of element.querySelectorAll('.jp-InternalAnchorLink')) {
    anchor.remove();
  }
}

/**
 * Make the function that turns a lesson's Markdown into an element.
 *
 * The text is untrusted: it is sanitised with JupyterLab's rules, and without the attributes that
 * run commands (`data-commandlinker-command`), so that a lesson can say things but not do them.
 */
export function makeMarkdownRenderer(rendermime: IRenderMimeRegistry): RenderMarkdown {
  const sanitizer = new Sanitizer();
  sanitizer.setAllowCommandLinker(false);
  return async (source) => {
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
    openLinksOutside(element);
    if (source.includes('$')) {
      void rendermime.latexTypesetter?.typeset(element);
    }
    return element;
  };
}
