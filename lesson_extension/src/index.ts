/** The plugin of JupyterLab: the lesson beside the work. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'hexhub-lesson:plugin',
  description: 'The lesson beside the work.',
  autoStart: true,
  activate: () => undefined,
};

export default plugin;
