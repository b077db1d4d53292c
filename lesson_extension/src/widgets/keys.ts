/** Keys of the lesson that also work while the focus is in a terminal. */
import { CommandRegistry } from '@lumino/commands';

/**
 * Let the keys of these commands pass over terminals, which take every key for themselves and stop
 * it before JupyterLab, which listens further out, can see it.
 */
export function passOverTerminals(commands: CommandRegistry, ids: readonly string[]): void {
  const listen = (event: KeyboardEvent): void => {
    if (!(event.target instanceof Element) || event.target.closest('.jp-Terminal') === null) {
      return;
    }
    const keystroke = CommandRegistry.keystrokeForKeydownEvent(event);
    const binding = commands.keyBindings.find(
      ({ command, keys }) => ids.includes(command) && keys.length === 1 && keys[0] === keystroke,
    );
    if (binding !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      void commands.execute(binding.command, binding.args);
    }
  };
  document.addEventListener('keydown', listen, true);
}
