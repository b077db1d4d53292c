import type { DockLayout } from '@lumino/widgets';
import { expect, it } from 'vitest';

import { balance } from '../widgets/areas';

const tabs: DockLayout.ITabAreaConfig = { type: 'tab-area', widgets: [], currentIndex: 0 };

function row(sizes: number[], children: DockLayout.AreaConfig[] = [tabs, tabs]) {
  return { type: 'split-area' as const, orientation: 'horizontal' as const, children, sizes };
}

it('gives room again to what a narrow page has squeezed, at any depth', () => {
  expect(balance(row([0, 1]))).toEqual(row([1, 1]));
  expect(balance(row([0.5, 0.5], [tabs, row([1, 0.05])]))).toEqual(
    row([0.5, 0.5], [tabs, row([1, 1])]),
  );
});

it('leaves the sizes that a student has chosen', () => {
  expect(balance(row([0.2, 0.8]))).toEqual(row([0.2, 0.8]));
  expect(balance(tabs)).toBe(tabs);
});
