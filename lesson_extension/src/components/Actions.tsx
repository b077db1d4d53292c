/** The foot of the panel: what can be done at the open step, always in the same place. */
import { useEffect, useRef, type JSX, type RefObject } from 'react';

import type { Activity } from '../state';
import type { Texts } from '../texts';
import type { Step } from '../wire';
import { useNow } from './Banners';
import { Icon } from './icons';

const SLOW_S = 45;
/** Waiting that is shorter than this is not worth a word of its own. */
const QUEUE_SHOWN_MS = 2_000;

/** Properties of {@link Actions}. */
export interface ActionsProps {
  /** The step that is unfolded. */
  readonly step: Step | null;
  readonly activity: Activity | null;
  readonly isBusy: boolean;
  readonly isOnline: boolean;
  readonly hasResult: boolean;
  /** Keys that press Check, as people read them. */
  readonly checkKeys: string;
  readonly texts: Texts;
  readonly onCheck: () => void;
  readonly onHint: () => void;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

function wordsOf(activity: Activity, texts: Texts, now: number): string {
  switch (activity.phase) {
    case 'saving':
      return texts.saving;
    case 'sending':
      return texts.sending;
    case 'offline':
      return texts.sendingLater;
    case 'cancelling':
      return texts.cancelling;
    case 'queued':
      return now - activity.sinceMs < QUEUE_SHOWN_MS
        ? texts.running
        : texts.queued(activity.position);
    case 'running':
      return texts.running;
  }
}

/** What is going on and for how long, inside the button, so that nothing moves when it begins. */
function Running({ activity, texts }: { readonly activity: Activity; readonly texts: Texts }) {
  const now = useNow();
  const seconds = Math.max(0, Math.floor((now - activity.sinceMs) / 1000));
  return (
    <>
      <span className="hx-spinner" aria-hidden="true" />
      <span>{wordsOf(activity, texts, now)}</span>
      <span className="hx-elapsed" aria-hidden="true">
        {texts.seconds(seconds)}
      </span>
    </>
  );
}

/** Says that the check may not know the newest files, and that it takes long, once it does. */
function RunningNotes({ activity, texts }: { readonly activity: Activity; readonly texts: Texts }) {
  const now = useNow();
  return (
    <>
      {activity.isJoined && <p className="hx-note">{texts.joined}</p>}
      {now - activity.sinceMs >= SLOW_S * 1000 && <p className="hx-note">{texts.slow}</p>}
    </>
  );
}

function HintButton(props: ActionsProps & { readonly step: Step }): JSX.Element | null {
  const { step, isBusy, isOnline, texts, onHint } = props;
  const { next, taken, total } = step.hints;
  if (next === null || taken.length >= total) {
    return null;
  }
  return (
    <button
      type="button"
      className="hx-button"
      aria-disabled={!next.is_available || isBusy || !isOnline}
      aria-describedby={next.is_available ? undefined : 'hx-hint-reason'}
      onClick={onHint}
    >
      <Icon name="hint" />
      {texts.takeHint(taken.length + 1, total)}
    </button>
  );
}

/** Properties for the row of buttons, and the button that takes the focus of one that goes away. */
function useKeptFocus() {
  const check = useRef<HTMLButtonElement>(null);
  const isHere = useRef(false);
  useEffect(() => {
    if (check.current === null) {
      isHere.current = false;
    } else if (isHere.current && document.activeElement === document.body) {
      check.current.focus();
    }
  });
  const row = {
    onFocus: () => {
      isHere.current = true;
    },
    // A button that goes away with the focus on it does not tell.
    onBlur: () => {
      isHere.current = false;
    },
  };
  return { check, row };
}

function CheckButton(
  props: ActionsProps & { readonly place: RefObject<HTMLButtonElement> },
): JSX.Element {
  const { place, activity, isOnline, hasResult, checkKeys, texts, onCheck } = props;
  const rest = hasResult ? texts.checkAgain : texts.check;
  return (
    <button
      ref={place}
      type="button"
      className="hx-button hx-primary hx-check"
      title={checkKeys}
      aria-keyshortcuts={checkKeys.replace('Ctrl', 'Control')}
      aria-disabled={activity !== null || !isOnline}
      onClick={onCheck}
    >
      {activity === null ? rest : <Running activity={activity} texts={texts} />}
    </button>
  );
}

/** Check and hint (while a check is under way: cancel), or "mark as done"; nothing for a step that is locked. */
export function Actions(props: ActionsProps): JSX.Element | null {
  const { step, activity, isBusy, isOnline, texts, onDone, onCancel } = props;
  const { check, row } = useKeptFocus();
  if (step === null || step.state === 'locked') {
    return null;
  }
  const next = step.hints.next;
  const reason = next !== null && !next.is_available ? next.reason : null;
  return (
    <footer className="hx-actions">
      <div className="hx-buttons" {...row}>
        {step.has_check && <CheckButton {...props} place={check} />}
        {!step.has_check && step.state === 'open' && (
          <button
            type="button"
            className="hx-button hx-primary hx-done"
            aria-disabled={isBusy || !isOnline}
            onClick={onDone}
          >
            {texts.markDone}
          </button>
        )}
        {activity === null ? (
          <HintButton {...props} step={step} />
        ) : (
          <button
            type="button"
            className="hx-button hx-cancel"
            aria-disabled={activity.phase === 'cancelling'}
            onClick={onCancel}
          >
            {texts.cancel}
          </button>
        )}
      </div>
      {activity !== null && <RunningNotes activity={activity} texts={texts} />}
      {reason !== null && step.hints.taken.length < step.hints.total && (
        <p id="hx-hint-reason" className="hx-note">
          {reason}
        </p>
      )}
    </footer>
  );
}
