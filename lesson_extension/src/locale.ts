/** Which language the lesson is asked for in; pure. */

/** What may say which language a student reads, all of it optional. */
export interface LocaleSources {
  /** Cookies of the page, as `document.cookie` gives them. */
  readonly cookies: string;
  /** Language of JupyterLab, such as `ru-RU` or `default`. */
  readonly lab: string;
  /** Query of the page's address, such as `?locale=ru`. */
  readonly query: string;
  /** Languages of the browser, the best first. */
  readonly browser: readonly string[];
}

const TAG = /^[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*$/;

function baseOf(tag: string | undefined | null): string | null {
  return tag && TAG.test(tag) ? (tag.split(/[-_]/)[0] ?? null) : null;
}

/**
 * The cookie that HexHub's own pages keep the choice in. The panel reads and writes the same one,
 * so that there is one language for one student, wherever it was chosen last.
 */
const COOKIE = 'hexhub_locale';
const YEAR_S = 365 * 24 * 60 * 60;

function chosenIn(cookies: string): string | null {
  const found = cookies.split('; ').find((cookie) => cookie.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) ?? null;
}

/**
 * Give the cookie to set, as `document.cookie` takes it, that keeps `locale` as the choice.
 *
 * @param hubPrefix - Path of JupyterHub, such as `/hub/`; HexHub's pages stand beside it. Empty
 *   where there is none.
 * @param hubHost - Origin of HexHub's pages where this page has a name below it; else empty.
 */
export function localeCookie(locale: string, hubPrefix: string, hubHost = ''): string {
  const path = hubPrefix.replace(/hub\/?$/, '') || '/';
  const domain = hubHost === '' ? '' : `;domain=${new URL(hubHost).hostname}`;
  return `${COOKIE}=${locale};path=${path}${domain};max-age=${String(YEAR_S)};samesite=lax`;
}

/**
 * Give the language tag to ask for, such as `en` or `ru`.
 *
 * What the student chose comes first; then what the address says; then JupyterLab's language where
 * it is not the English that it starts with; then the browser's. A course that lacks the language
 * answers in its own first one.
 */
export function pickLocale(sources: LocaleSources): string {
  const lab = baseOf(sources.lab);
  return (
    baseOf(chosenIn(sources.cookies)) ??
    baseOf(new URLSearchParams(sources.query).get('locale')) ??
    (lab === 'en' ? null : lab) ??
    baseOf(sources.browser[0]) ??
    'en'
  );
}
