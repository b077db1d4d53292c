/** The sign of the lesson panel in JupyterLab's side bar. */
import { LabIcon } from '@jupyterlab/ui-components';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <g class="jp-icon3" style="fill: none" stroke="#616161" stroke-width="1.4" stroke-linejoin="round" stroke-linecap="round">
    <path d="M8 1.5 13.6 4.75v6.5L8 14.5 2.4 11.25v-6.5z"/>
    <path d="M5.4 8.2 7.3 10.1 10.8 6.2"/>
  </g>
</svg>`;

/** A hexagon with a tick. The style holds against `.jp-icon3`, which would fill it. */
export const lessonIcon = new LabIcon({ name: 'hexhub-lesson:lesson', svgstr: SVG });
