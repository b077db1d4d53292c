/** What jsdom lacks and browsers have, and a clean page after each test. */
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

if (typeof Element !== 'undefined') {
  Element.prototype.scrollIntoView = () => undefined;
}

afterEach(() => {
  cleanup();
});
