/** The sign of the lesson panel in JupyterLab's side bar. */
import { LabIcon } from '@jupyterlab/ui-components';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="1.4" stroke-linejoin="round" stroke-linecap="round">
    <path d="M8 1.5 13.600 4.750v6.500L8 14.500 2.400 11.250v-6.500z"/>
    <path d="M5.400 8.200 7.300 10.100 10.800 6.200"/>
  </g>
</svg>`;

/** A hexagon with a tick. */
export const lessonIcon = new LabIcon({ name: 'hexhub-lesson:lesson', svgstr: SVG });
