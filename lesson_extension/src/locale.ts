/** Which language the lesson is asked for in; pure. */

/** What may say which language a student reads, all of it optional. */
export interface LocaleSources {
  /** What the student chose in a lesson panel of this browser. */
  readonly chosen: string | null;
  /** Language of JupyterLab, such as `ru-RU` or `default`. */
  readonly lab: string;
  /** Query of the page's address, such as `?locale=ru`, as the hub wrote it. */
  readonly query: string;
  /** Languages of the browser, the best first. */
  readonly browser: readonly string[];
}

const TAG = /^[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*$/;

function baseOf(tag: string | undefined | null): string | null {
  return tag && TAG.test(tag) ? (tag.split(/[-_]/)[0] ?? null) : null;
}

/**
 * Give the language tag to ask for, such as `en` or `ru`.
 *
 * What the student chose comes first; then JupyterLab's language where it is not the English that
 * it starts with; then what the hub's pages were in; then the browser's. A course that lacks the
 * language answers in its own first one.
 */
export function pickLocale(sources: LocaleSources): string {
  const lab = baseOf(sources.lab);
  const query = new URLSearchParams(sources.query).get('locale');
  return (
    baseOf(sources.chosen) ??
    (lab === 'en' ? null : lab) ??
    baseOf(query) ??
    baseOf(sources.browser[0]) ??
    'en'
  );
}
