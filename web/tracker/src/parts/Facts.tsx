import { type ComponentProps, useEffect, useState } from 'react';
import { useParcel, useTracker } from '../context';
import { fill } from '../vocabulary';
import { Icon } from './Icon';

const copiedFor = 2_000;

/** Who carries the parcel, and under which number. */
export function Facts({ className = '', ...rest }: ComponentProps<'dl'>) {
  const { messages } = useTracker();
  const parcel = useParcel();
  const { labels } = messages;
  const back = parcel?.legs.find(({ kind, awbCode }) => kind === 'rto' && awbCode !== parcel.awbCode);
  if (!parcel || (!parcel.courierName && !parcel.awbCode)) return null;
  return (
    <dl {...rest} className={`waybill-facts ${className}`.trim()}>
      {parcel.courierName && <Fact name={labels.courier} value={parcel.courierName} />}
      {parcel.awbCode && <NumberFact name={labels.trackingNumber} number={parcel.awbCode} />}
      {back?.awbCode && <NumberFact name={labels.returnNumber} number={back.awbCode} />}
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div className="waybill-fact">
      <dt>{name}</dt>
      <dd translate="no">{value}</dd>
    </div>
  );
}

function NumberFact({ name, number }: { name: string; number: string }) {
  return (
    <div className="waybill-fact">
      <dt>{name}</dt>
      <dd>
        <span className="waybill-number" translate="no">
          {number}
        </span>
        <CopyButton number={number} />
      </dd>
    </div>
  );
}

function CopyButton({ number }: { number: string }) {
  const { labels } = useTracker().messages;
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), copiedFor);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      aria-label={copied ? labels.copied : fill(labels.copyNumber, { number })}
      className="waybill-copy"
      data-copied={copied || undefined}
      onClick={async ({ currentTarget }) => setCopied(await copy(number, currentTarget))}
      type="button"
    >
      <Icon name={copied ? 'check' : 'copy'} />
      <span aria-hidden="true">{copied ? labels.copied : labels.copy}</span>
    </button>
  );
}

/** Whether the text is on the clipboard now. Pages without TLS and in frames have none that they may write to. */
async function copy(text: string, button: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text, button);
  }
}

/** The way that needs no permission: what is selected in a field is copied. */
function copyFromField(text: string, button: HTMLElement): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.readOnly = true;
  field.style.cssText = 'position: fixed; inset: 0 auto auto 0; opacity: 0';
  document.body.append(field);
  field.select();
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    field.remove();
    button.focus({ preventScroll: true });
  }
}
