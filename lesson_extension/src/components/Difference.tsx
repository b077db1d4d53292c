/** Two texts side by side, with what differs marked. */
import { useMemo, useState, type JSX } from 'react';

import type { Texts } from '../texts';
import {
  compareTexts,
  differsOnlyInSpaces,
  foldRows,
  markLine,
  pairLines,
  withVisibleSpaces,
  type Piece,
  type Row,
} from './difference';

/** Values up to this length stand side by side also where the panel is narrow. */
const SHORT = 18;
/** Equal lines that stay visible around a difference. */
const CONTEXT = 3;

type Show = (text: string) => string;

const asItIs: Show = (text) => text;

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

function Cell(props: {
  readonly side: 'left' | 'right';
  readonly row: Row;
  readonly show: Show;
}): JSX.Element {
  const line = props.row[props.side];
  const kind = line === null ? 'none' : props.row.isEqual ? 'both' : props.side;
  return (
    <td className={`hx-cell hx-cell-${kind}`}>
      {line !== null && <Pieces pieces={line.pieces} show={props.show} />}
    </td>
  );
}

/** Properties of {@link SideBySide}. */
export interface SideBySideProps {
  readonly left: string;
  readonly right: string;
  readonly leftLabel: string;
  readonly rightLabel: string;
  /** Numbers of lines stand before them. */
  readonly hasNumbers: boolean;
  readonly show?: Show;
  readonly texts: Texts;
}

function LineNumber({ number }: { readonly number: number | undefined }): JSX.Element {
  return (
    <td className="hx-line-number" aria-hidden="true">
      {number}
    </td>
  );
}

function Rows(props: SideBySideProps & { readonly rows: readonly Row[] }): JSX.Element {
  const { rows, hasNumbers, show = asItIs } = props;
  return (
    <>
      {rows.map((row, index) => (
        <tr key={index}>
          {hasNumbers && <LineNumber number={row.left?.number} />}
          <Cell side="left" row={row} show={show} />
          {hasNumbers && <LineNumber number={row.right?.number} />}
          <Cell side="right" row={row} show={show} />
        </tr>
      ))}
    </>
  );
}

/** A table of two columns; long runs of equal lines are folded until they are asked for. */
export function SideBySide(props: SideBySideProps): JSX.Element {
  const { left, right, leftLabel, rightLabel, hasNumbers, texts } = props;
  const [isWhole, setIsWhole] = useState(false);
  const rows = useMemo(() => pairLines(compareTexts(left, right)), [left, right]);
  const groups = isWhole ? [{ isFolded: false, rows }] : foldRows(rows, CONTEXT);
  const span = hasNumbers ? 2 : 1;
  return (
    <div className="hx-beside-scroll" tabIndex={0}>
      <table className="hx-beside">
        <thead>
          <tr>
            <th scope="col" colSpan={span} className="hx-beside-left">
              {leftLabel}
            </th>
            <th scope="col" colSpan={span} className="hx-beside-right">
              {rightLabel}
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map((part, index) =>
            part.isFolded ? (
              <tr key={index} className="hx-fold">
                <td colSpan={2 * span}>
                  <button
                    type="button"
                    className="hx-link"
                    onClick={() => {
                      setIsWhole(true);
                    }}
                  >
                    {texts.equalLines(part.rows.length)}
                  </button>
                </td>
              </tr>
            ) : (
              <Rows key={index} {...props} rows={part.rows} />
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}

/** Properties of {@link Difference}. */
export interface DifferenceProps {
  readonly expected: string | null;
  readonly actual: string | null;
  readonly texts: Texts;
  /** Shows both in a tab, where there is more room. */
  readonly onCompare: (left: string, right: string) => void;
}

function Side(props: {
  readonly side: 'expected' | 'actual';
  readonly own: string | null;
  readonly other: string | null;
  readonly show: Show;
  readonly texts: Texts;
}): JSX.Element | null {
  const { side, own, other, show, texts } = props;
  const pieces = own === null ? [] : markLine(own, other ?? own);
  return own === null ? null : (
    <div className={`hx-side hx-side-${side}`}>
      <dt>{texts[side]}</dt>
      <dd>
        {pieces.length === 0 ? (
          <em>{texts.emptyText}</em>
        ) : (
          <code>
            <Pieces pieces={pieces} show={show} />
          </code>
        )}
      </dd>
    </div>
  );
}

function Stacked(props: DifferenceProps & { readonly show: Show }): JSX.Element {
  const { expected, actual, show, texts } = props;
  return (
    <dl>
      <Side side="expected" own={expected} other={actual} show={show} texts={texts} />
      <Side side="actual" own={actual} other={expected} show={show} texts={texts} />
    </dl>
  );
}

/**
 * What a test expected beside what it found. Values of one long line stand under each other
 * instead, sign under sign, since two narrow columns would break them.
 */
export function Difference(props: DifferenceProps): JSX.Element | null {
  const { expected, actual, texts, onCompare } = props;
  if (expected === null || actual === null) {
    const isNothing = expected === actual;
    return isNothing ? null : (
      <div className="hx-difference">
        <Stacked {...props} show={asItIs} />
      </div>
    );
  }
  const onlySpaces = differsOnlyInSpaces(expected, actual);
  const show: Show = onlySpaces ? withVisibleSpaces : asItIs;
  const hasLines = expected.includes('\n') || actual.includes('\n');
  const isShort = Math.max(expected.length, actual.length) <= SHORT;
  const isEmpty = expected === '' || actual === '';
  return (
    <div className="hx-difference">
      {hasLines || (isShort && !isEmpty) ? (
        <SideBySide
          left={expected}
          right={actual}
          leftLabel={texts.expected}
          rightLabel={texts.actual}
          hasNumbers={false}
          show={show}
          texts={texts}
        />
      ) : (
        <Stacked {...props} show={show} />
      )}
      {onlySpaces && <p className="hx-note">{texts.onlySpaces}</p>}
      {hasLines && (
        <button
          type="button"
          className="hx-link"
          onClick={() => {
            onCompare(expected, actual);
          }}
        >
          {texts.compareInTab}
        </button>
      )}
    </div>
  );
}
