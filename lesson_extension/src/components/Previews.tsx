/** Buttons for the web servers that this lesson has the student start. */
import type { JSX } from 'react';

import type { Texts } from '../texts';
import type { Preview } from '../wire';
import { Icon } from './icons';

/** Properties of {@link Previews}. */
export interface PreviewsProps {
  readonly previews: readonly Preview[];
  readonly texts: Texts;
  readonly onOpen: (preview: Preview) => void;
}

/** One button a preview; nothing where the lesson has none. */
export function Previews({ previews, texts, onOpen }: PreviewsProps): JSX.Element | null {
  if (previews.length === 0) {
    return null;
  }
  return (
    <div className="hx-previews">
      {previews.map((preview) => (
        <button
          key={preview.port}
          type="button"
          className="hx-button"
          onClick={() => {
            onOpen(preview);
          }}
        >
          <Icon name="preview" />
          {texts.previewOpen(preview.title, preview.port)}
        </button>
      ))}
    </div>
  );
}
