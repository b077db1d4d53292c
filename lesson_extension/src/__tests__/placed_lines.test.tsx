/** Places in the student's files, in the text of a result. */
import { fireEvent, render, screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';

import { PlacedLines } from '../components/PlacedLines';
import { textsIn } from '../texts';

const TEXT =
  "parse('12') raised NotImplementedError (receipt.py, line 13)\nas other.py, line 2 did";

function show(): ReturnType<typeof vi.fn> {
  const onOpenPlace = vi.fn();
  const hasFile = (path: string): Promise<boolean> => Promise.resolve(path === 'work/receipt.py');
  render(<PlacedLines text={TEXT} files={{ hasFile, onOpenPlace }} texts={textsIn('en')} />);
  return onOpenPlace;
}

it('makes those links that are there, and leaves the text as it is', async () => {
  const onOpenPlace = show();
  fireEvent.click(await screen.findByRole('button', { name: 'receipt.py, line 13' }));
  expect(onOpenPlace).toHaveBeenCalledExactlyOnceWith({ path: 'work/receipt.py', line: 13 });
  expect(screen.getAllByRole('button')).toHaveLength(1);
  expect(document.body.textContent).toBe(TEXT);
});

it.each(['Enter', ' '])('opens one with the key %o, from the keyboard alone', async (key) => {
  const onOpenPlace = show();
  const link = await screen.findByRole('button');
  expect(link.tabIndex).toBe(0);
  expect(fireEvent.keyDown(link, { key: 'ArrowDown' })).toBe(true);
  expect(onOpenPlace).not.toHaveBeenCalled();
  // False: the page is not scrolled by it.
  expect(fireEvent.keyDown(link, { key })).toBe(false);
  expect(onOpenPlace).toHaveBeenCalledTimes(1);
});
