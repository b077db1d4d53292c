/** A text of a run, in which places in the student's files are buttons that open them. */
import { useEffect, useState, type JSX, type KeyboardEvent } from 'react';

import { findPlaces, type FilePlace } from '../places';
import type { Texts } from '../texts';

/** What is known of, and done with, the student's files. */
export interface FileTools {
  /** Tell whether there is a file at this path below the home folder. */
  readonly hasFile: (path: string) => Promise<boolean>;
  /** Open a file at a line. */
  readonly onOpenPlace: (place: FilePlace) => void;
}

/** Properties of {@link PlacedLines}. */
export interface PlacedLinesProps {
  readonly text: string;
  readonly files: FileTools;
  readonly texts: Texts;
}

/** Tell which of the files that a text names are there; none until that is known. */
function useKnownFiles(text: string, files: FileTools): ReadonlySet<string> {
  const [known, setKnown] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    let isCurrent = true;
    const paths = new Set(findPlaces(text).flatMap(({ place }) => (place ? [place.path] : [])));
    void Promise.all(
      [...paths].map(async (path) => ((await files.hasFile(path)) ? [path] : [])),
    ).then((found) => {
      if (isCurrent && found.length > 0) {
        setKnown(new Set(found.flat()));
      }
    });
    return () => {
      isCurrent = false;
    };
  }, [text, files]);
  return known;
}

/** Properties of {@link Place}. */
interface PlaceProps {
  readonly text: string;
  readonly title: string;
  readonly onOpen: () => void;
}

/** A button in running text: browsers break the line around each `<button>`, also after a bracket. */
function Place({ text, title, onOpen }: PlaceProps): JSX.Element {
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      onOpen();
    }
  };
  return (
    <a
      role="button"
      tabIndex={0}
      className="hx-link hx-place"
      title={title}
      onClick={onOpen}
      onKeyDown={press}
    >
      {text}
    </a>
  );
}

/** The text, with links; a place in a file that is not the student's stays text. */
export function PlacedLines({ text, files, texts }: PlacedLinesProps): JSX.Element {
  const known = useKnownFiles(text, files);
  return (
    <>
      {findPlaces(text).map(({ text: piece, place }, index) =>
        place !== null && known.has(place.path) ? (
          <Place
            key={index}
            text={piece}
            title={texts.blockOpen(place.path, place.line)}
            onOpen={() => {
              files.onOpenPlace(place);
            }}
          />
        ) : (
          <span key={index}>{piece}</span>
        ),
      )}
    </>
  );
}
