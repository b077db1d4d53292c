/** What a test expected, and what it found instead. */
import type { JSX } from 'react';

import type { Texts } from '../texts';
import {
  compareTexts,
  differsOnlyInSpaces,
  markLine,
  withVisibleSpaces,
  type DifferenceLine,
  type Piece,
} from './difference';

/** Properties of {@link Difference}. */
export interface DifferenceProps {
  readonly expected: string | null;
  readonly actual: string | null;
  readonly texts: Texts;
}

type Show = (text: string) => string;

function Pieces({ pieces, show }: { readonly pieces: readonly Piece[]; readonly show: Show }) {
  return (
    <>
      {pieces.map((piece, index) =>
        piece.differs ? (
          <mark key={index}>{show(piece.text)}</mark>
        ) : (
          <span key={index}>{show(piece.text)}</span>
        ),
      )}
    </>
  );
}

function Side(props: {
  readonly side: 'expected' | 'actual';
  readonly label: string;
  readonly pieces: readonly Piece[];
  readonly show: Show;
  readonly empty: string;
}): JSX.Element {
  const { side, label, pieces, show, empty } = props;
  return (
    <div className={`hx-side hx-side-${side}`}>
      <dt>{label}</dt>
      <dd>
        {pieces.length === 0 ? (
          <em>{empty}</em>
        ) : (
          <code>
            <Pieces pieces={pieces} show={show} />
          </code>
        )}
      </dd>
    </div>
  );
}

function Lines(props: {
  readonly lines: readonly DifferenceLine[];
  readonly show: Show;
  readonly texts: Texts;
}): JSX.Element {
  const { lines, show, texts } = props;
  const signs = { both: ' ', expected: '−', actual: '+' } as const;
  const spoken = { both: '', expected: texts.removedLine, actual: texts.addedLine } as const;
  return (
    <>
      <p className="hx-legend">
        <span className="hx-side-expected">− {texts.expected}</span>
        <span className="hx-side-actual">+ {texts.actual}</span>
      </p>
      <pre className="hx-lines" tabIndex={0}>
        {lines.map((line, index) => (
          <div key={index} className={`hx-line hx-line-${line.side}`}>
            <span aria-hidden="true">{signs[line.side]} </span>
            {line.side !== 'both' && <span className="hx-spoken">{spoken[line.side]}: </span>}
            <Pieces pieces={line.pieces} show={show} />
          </div>
        ))}
      </pre>
    </>
  );
}

function BothSides(props: DifferenceProps & { readonly show: Show }): JSX.Element {
  const { expected, actual, show, texts } = props;
  const side = (name: 'expected' | 'actual', own: string | null, other: string | null) =>
    own !== null && (
      <Side
        side={name}
        label={texts[name]}
        pieces={markLine(own, other ?? own)}
        show={show}
        empty={texts.emptyText}
      />
    );
  return (
    <dl>
      {side('expected', expected, actual)}
      {side('actual', actual, expected)}
    </dl>
  );
}

/** Both sides under each other with what differs marked, or line by line where there are many. */
export function Difference(props: DifferenceProps): JSX.Element | null {
  const { expected, actual, texts } = props;
  if (expected === null || actual === null) {
    const isNothing = expected === actual;
    return isNothing ? null : (
      <div className="hx-difference">
        <BothSides {...props} show={(text) => text} />
      </div>
    );
  }
  const onlySpaces = differsOnlyInSpaces(expected, actual);
  const show: Show = onlySpaces ? withVisibleSpaces : (text) => text;
  const hasLines = expected.includes('\n') || actual.includes('\n');
  return (
    <div className="hx-difference">
      {hasLines ? (
        <Lines lines={compareTexts(expected, actual)} show={show} texts={texts} />
      ) : (
        <BothSides {...props} show={show} />
      )}
      {onlySpaces && <p className="hx-note">{texts.onlySpaces}</p>}
    </div>
  );
}
