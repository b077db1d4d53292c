/** Where the first terminal stands in the page; pure. */
import type { TerminalPlace } from './contract';

/** How a lesson that is opened for the first time has its terminal. */
export type Beside = 'alone' | 'beside';

/** The page's inner size, in pixels. */
export interface PageSize {
  readonly width: number;
  readonly height: number;
}

/** Whether JupyterLab will be light or dark, which follows the system until the student chooses. */
export type Scheme = 'light' | 'dark';

/** What JupyterLab has around its main area at first, in pixels, as `widgets/layout.ts` lays it out. */
const TOP = 53;
const BOTTOM = 25;
const BAR = 33;
const PANEL = 368;
const WIDE_PANEL = 400;
const FILES = 240;
const WIDE_PAGE = 1_600;
const SIDE_BY_SIDE_PAGE = 1_200;
/** Least size of a terminal that is worth showing. */
const MIN_WIDTH = 200;
const MIN_HEIGHT = 100;

const COLORS = {
  light: { background: '#ffffff', foreground: '#000000' },
  dark: { background: '#111111', foreground: '#ffffff' },
};

/** Give the place of the terminal in a page that JupyterLab lays out for the first time. */
export function firstPlace(page: PageSize, beside: Beside, scheme: Scheme): TerminalPlace {
  const colors = COLORS[scheme];
  const isWide = page.width >= WIDE_PAGE;
  const left = BAR + (isWide ? FILES : 0);
  const width = page.width - left - BAR - (isWide ? WIDE_PANEL : PANEL);
  const height = page.height - TOP - BOTTOM;
  if (beside === 'alone') {
    return { left, top: TOP, width, height, ...colors };
  }
  return page.width >= SIDE_BY_SIDE_PAGE
    ? { left: left + width / 2, top: TOP, width: width / 2, height, ...colors }
    : { left, top: TOP + height / 2, width, height: height / 2, ...colors };
}

function isPlace(value: unknown): value is TerminalPlace {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const place = value as Record<keyof TerminalPlace, unknown>;
  const sizes = [place.left, place.top, place.width, place.height];
  const colors = [place.background, place.foreground];
  return (
    sizes.every((size) => typeof size === 'number' && Number.isFinite(size)) &&
    colors.every((color) => typeof color === 'string' && color !== '' && color.length <= 64)
  );
}

/** Give the place that was kept, where it is one and fits into the page; else null. */
export function keptPlace(text: string | null, page: PageSize): TerminalPlace | null {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    return null;
  }
  if (!isPlace(value) || value.left < 0 || value.top < 0) {
    return null;
  }
  const isInside =
    value.left + value.width <= page.width && value.top + value.height <= page.height;
  return isInside && value.width >= MIN_WIDTH && value.height >= MIN_HEIGHT ? value : null;
}
