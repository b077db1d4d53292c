/** Beginning again: one file, the files of a step, or the whole machine; each can be undone. */
import { useState, type JSX } from 'react';

import type { MachineState } from '../state';
import type { Texts } from '../texts';
import type { Lesson } from '../wire';

/** What a student can wish for here. */
export interface StartOverWishes {
  readonly onLoad: () => void;
  readonly onFile: (path: string) => void;
  readonly onStep: (step: string) => void;
  readonly onUndoFiles: () => void;
  readonly onMachine: () => void;
  readonly onUndoMachine: () => void;
}

/** Properties of {@link StartOver}. */
export interface StartOverProps {
  readonly lesson: Lesson;
  /** The step that is unfolded. */
  readonly openStep: string | null;
  readonly machine: MachineState;
  readonly locale: string;
  readonly texts: Texts;
  readonly wishes: StartOverWishes;
}

function Button(props: {
  readonly label: string;
  readonly isBusy: boolean;
  readonly onClick: () => void;
}): JSX.Element {
  return (
    <button type="button" className="hx-button" disabled={props.isBusy} onClick={props.onClick}>
      {props.label}
    </button>
  );
}

function Restored({ machine, texts, wishes }: StartOverProps): JSX.Element | null {
  const { restored, isBusy } = machine;
  if (restored === null) {
    return null;
  }
  const words = restored.length === 0 ? texts.restoredNone : texts.restored(restored.join(', '));
  return (
    <div className="hx-restored" role="status">
      <p>{words}</p>
      {restored.length > 0 && (
        <Button label={texts.undoRestore} isBusy={isBusy} onClick={wishes.onUndoFiles} />
      )}
    </div>
  );
}

function Files({ openStep, machine, texts, wishes }: StartOverProps): JSX.Element | null {
  const { starter, isBusy } = machine;
  if (starter === null || starter.length === 0) {
    return null;
  }
  const hasStep = openStep !== null && starter.some((file) => file.steps.includes(openStep));
  return (
    <>
      {hasStep && (
        <Button
          label={texts.restoreStep}
          isBusy={isBusy}
          onClick={() => {
            wishes.onStep(openStep);
          }}
        />
      )}
      <ul className="hx-starter">
        {starter.map(({ path }) => (
          <li key={path}>
            <code>{path}</code>
            <button
              type="button"
              className="hx-link"
              disabled={isBusy}
              aria-label={texts.restoreFile(path)}
              onClick={() => {
                wishes.onFile(path);
              }}
            >
              {texts.restore}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Asks once more before the whole machine is changed, and says what happens to what is there. */
function Machine({ machine, locale, texts, wishes }: StartOverProps): JSX.Element {
  const [asked, setAsked] = useState<'reset' | 'undo' | null>(null);
  const { undoUntilMs, isBusy } = machine;
  if (asked !== null) {
    return (
      <div className="hx-confirm" role="group" aria-label={texts.areYouSure}>
        <p>{asked === 'reset' ? texts.resetSure : texts.undoResetSure}</p>
        <div className="hx-buttons">
          <Button
            label={asked === 'reset' ? texts.resetMachine : texts.undoReset}
            isBusy={isBusy}
            onClick={asked === 'reset' ? wishes.onMachine : wishes.onUndoMachine}
          />
          <Button
            label={texts.keepMachine}
            isBusy={isBusy}
            onClick={() => {
              setAsked(null);
            }}
          />
        </div>
      </div>
    );
  }
  const until =
    undoUntilMs !== null &&
    new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(new Date(undoUntilMs));
  return (
    <div className="hx-buttons">
      <Button
        label={texts.resetMachine}
        isBusy={isBusy}
        onClick={() => {
          setAsked('reset');
        }}
      />
      {until !== false && (
        <Button
          label={texts.undoResetUntil(until)}
          isBusy={isBusy}
          onClick={() => {
            setAsked('undo');
          }}
        />
      )}
    </div>
  );
}

/** A fold at the end of the lesson. */
export function StartOver(props: StartOverProps): JSX.Element {
  const { machine, texts, wishes } = props;
  return (
    <details
      className="hx-start-over"
      onToggle={(event) => {
        if (event.currentTarget.open && machine.starter === null) {
          wishes.onLoad();
        }
      }}
    >
      <summary>{texts.startOver}</summary>
      <p className="hx-note">{texts.startOverHelp}</p>
      {machine.problem !== null && (
        <p className="hx-note" role="alert">
          {machine.problem}
        </p>
      )}
      <Restored {...props} />
      <Files {...props} />
      <Machine {...props} />
    </details>
  );
}
