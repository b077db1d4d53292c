/** The student's open documents: saving what changed, opening what the lesson names. */
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { Contents } from '@jupyterlab/services';
import type { DockPanel, Widget } from '@lumino/widgets';

import type { Saves } from './saves';

/** Longest time that saving may hold up a check, in milliseconds. */
const SAVE_TIMEOUT_MS = 15_000;

/** Files whose own viewer would hide the text that a lesson asks to edit. */
const EDIT_AS_TEXT = ['text/html', 'image/svg+xml', 'application/json'];

/**
 * Save every document that has changes; documents that have none are left alone, so that a file
 * edited in the terminal is not overwritten by an old copy of it.
 *
 * @param saves - Of these documents: one that is being saved is waited for.
 * @throws Error - A document could not be saved, or the student was asked and said no.
 */
export async function saveChangedDocuments(
  documents: IDocumentManager,
  widgets: Iterable<Widget>,
  saves: Saves,
): Promise<void> {
  const contexts = new Set([...widgets].map((widget) => documents.contextForWidget(widget)));
  const saving = Promise.all(
    [...contexts].map(async (context) => {
      if (context === undefined || context.model.readOnly) {
        return;
      }
      await saves.settled(context);
      if (context.model.dirty) {
        await context.save();
      }
    }),
  );
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(() => {
      reject(new Error(`not saved within ${String(SAVE_TIMEOUT_MS / 1000)} s`));
    }, SAVE_TIMEOUT_MS);
  });
  await Promise.race([saving, timeout]);
}

/** Load documents anew whose files have changed on the disk; what was not saved is lost. */
export async function reloadDocuments(
  documents: IDocumentManager,
  widgets: Iterable<Widget>,
  paths: readonly string[],
): Promise<void> {
  const contexts = new Set(
    [...widgets]
      .map((widget) => documents.contextForWidget(widget))
      .filter((context) => context !== undefined && paths.includes(context.path)),
  );
  await Promise.all([...contexts].map(async (context) => context?.revert()));
}

/** Tell whether there is a file at a path below the server's root folder. */
export async function hasFile(contents: Contents.IManager, path: string): Promise<boolean> {
  try {
    const model = await contents.get(path, { content: false });
    return model.type !== 'directory';
  } catch {
    return false;
  }
}

/** Give a file's text; null where there is no such file, or it is not a text. */
export async function readTextFile(
  contents: Contents.IManager,
  path: string,
): Promise<string | null> {
  try {
    const model = await contents.get(path, { type: 'file', format: 'text', content: true });
    return typeof model.content === 'string' ? model.content : null;
  } catch {
    return null;
  }
}

/**
 * Open a file below the server's root folder; gives its widget, or null where there is no such
 * file (a lesson may name one that the student is to make).
 */
export async function openFile(
  documents: IDocumentManager,
  contents: Contents.IManager,
  path: string,
  options: { mode?: DockPanel.InsertMode; ref?: string } = {},
): Promise<Widget | null> {
  let model: Contents.IModel;
  try {
    model = await contents.get(path, { content: false });
  } catch {
    return null;
  }
  const isEdited = EDIT_AS_TEXT.includes(model.mimetype);
  const factory = isEdited && model.type === 'file' ? 'Editor' : 'default';
  return documents.openOrReveal(path, factory, undefined, options) ?? null;
}
