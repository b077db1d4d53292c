/** Small pictures that take the colour of the text; all of them are decoration, never the message. */
import type { JSX } from 'react';

const PATHS = {
  passed: 'M3.2 8.6 6.4 11.8 12.8 4.6',
  locked: 'M4.5 7.5h7v5h-7zM6 7.5V5.6a2 2 0 0 1 4 0v1.9',
  failed: 'M4.6 4.6l6.8 6.8M11.4 4.6l-6.8 6.8',
  error: 'M8 4.2v4.6M8 11.4v.2',
  skipped: 'M4.5 8h7',
  chevron: 'M5.5 3.5 10 8l-4.5 4.5',
  back: 'M9.5 3.5 5 8l4.5 4.5',
  next: 'M3.5 8h9M9 4.5 12.5 8 9 11.5',
  hint: 'M6.2 12.2h3.6M6.8 14h2.4M8 2.2a4 4 0 0 0-2.3 7.2c.4.3.6.7.6 1.2h3.4c0-.5.2-.9.6-1.2A4 4 0 0 0 8 2.2z',
  outside: 'M9 3.5h3.5V7M12.2 3.8 7.5 8.5M7 4.5H3.5v8h8V9',
  preview: 'M2.5 3.5h11v9h-11zM2.5 6.2h11',
  close: 'M4.6 4.6l6.8 6.8M11.4 4.6l-6.8 6.8',
  offline: 'M3 6.5a7.5 7.5 0 0 1 10 0M5.2 9a4.4 4.4 0 0 1 5.6 0M8 11.8v.1M3 13 13 3',
} as const;

/** Name of a picture. */
export type IconName = keyof typeof PATHS;

/** A picture of 16 by 16, hidden from screen readers. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg className={`hx-icon hx-icon-${name}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
