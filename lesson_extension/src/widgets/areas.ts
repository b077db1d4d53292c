/** Rows and columns of files and terminals, as JupyterLab keeps them; draws nothing. */
import type { DockLayout } from '@lumino/widgets';

/** Share of a row or column below which nothing of an area can be read. */
const SQUEEZED = 0.1;

/** Give the same areas, all of one size wherever one of them is squeezed. */
export function balance(area: DockLayout.AreaConfig): DockLayout.AreaConfig {
  if (area.type === 'tab-area') {
    return area;
  }
  const total = area.sizes.reduce((sum, size) => sum + size, 0);
  const isSqueezed = area.sizes.some((size) => size < SQUEEZED * total);
  return {
    ...area,
    children: area.children.map(balance),
    sizes: isSqueezed ? area.sizes.map(() => 1) : area.sizes,
  };
}

/** Give the sizes of all rows and columns, to be compared. */
export function sizesOf(area: DockLayout.AreaConfig | null): unknown {
  return area?.type === 'split-area' ? [area.sizes, area.children.map(sizesOf)] : null;
}
