/**
 * The documents that are being saved.
 *
 * A second save beside one that is under way is taken for somebody else's change: JupyterLab finds
 * a newer file on the disk than it knows of, and asks the student which of both to keep. It does
 * not tell whether a save is under way, only that one begins and ends.
 */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { ISignal } from '@lumino/signaling';

/** Longest wait for a save: one that the student was asked about and refused has no end. */
const LONGEST_MS = 3_000;

/** What is used of a document's context. */
export interface Saved {
  readonly saveState: ISignal<unknown, DocumentRegistry.SaveState>;
}

/** Follows the saves of documents. */
export class Saves {
  private readonly underWay = new Map<Saved, Promise<void>>();

  /** Follow a document's saves from now on. */
  watch(context: Saved): void {
    let end: (() => void) | null = null;
    context.saveState.connect((_, state) => {
      end?.();
      end = null;
      this.underWay.delete(context);
      if (state === 'started') {
        const ended = new Promise<void>((resolve) => {
          end = resolve;
        });
        this.underWay.set(context, ended);
      }
    });
  }

  /** Resolve when a document is not being saved, after three seconds in any case. */
  async settled(context: Saved, longestMs = LONGEST_MS): Promise<void> {
    const ended = this.underWay.get(context);
    if (ended === undefined) {
      return;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, longestMs);
    });
    await Promise.race([ended, timeout]);
    clearTimeout(timer);
  }
}
