import type { ProviderName } from '../../config/provider-names.ts'
import type { Preview, PreviewPart, PreviewRate } from '../../preview/preview-send.ts'
import { Input } from '../layout/form.tsx'
import { formatCount, formatDuration, Time } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { Facts } from '../layout/table.tsx'
import type { Ui } from '../layout/ui.ts'
import { SandboxNote } from './new-push-page.tsx'
import { PhoneCard } from './phone-card.tsx'
import type { PushDraft } from './push-draft.ts'

/** From this number of devices on, it has to be typed. */
export const LARGE_DEVICES = 1000

interface CheckProps {
  ui: Ui
  draft: PushDraft
  /** The request to send. */
  json: string
  /** The devices that match now. */
  count: number
  /** The device of the preview; undefined if none matches. */
  device: string | undefined
  /** The preview, or the reason why there is none. */
  preview: Preview | string | undefined
  sandboxes: ReadonlySet<ProviderName>
}

/** Who gets the push and how it looks, and the button that sends it. */
export function CheckPage({ ui, draft, json, count, device, preview, sandboxes }: CheckProps) {
  const isLarge = count >= LARGE_DEVICES
  return (
    <Page ui={ui} title="Check the push" at="/new-push">
      <SandboxNote sandboxes={sandboxes} />
      <p class="big">{`It goes to ${formatCount(count)} ${count === 1 ? 'device' : 'devices'} that match now.`}</p>
      {typeof preview === 'string' && <p class="notice error">{`No preview: ${preview}`}</p>}
      {typeof preview === 'object' && device !== undefined && <PreviewParts preview={preview} device={device} />}
      <div class="send-form">
        <form method="post" action={ui.link('/new-push/send')}>
          <input type="hidden" name="request" value={json} />
          <input type="hidden" name="expected" value={String(count)} />
          {isLarge && (
            <Input
              label={`Type ${formatCount(count)} to send it`}
              name="count"
              isRequired
              hint="With or without commas."
            />
          )}
          <p class="buttons">
            <button type="submit">{count === 0 ? 'Send anyway' : `Send to ${formatCount(count)}`}</button>
          </p>
        </form>
        <form method="post" action={ui.link('/new-push/edit')}>
          {Object.entries({ ...draft, ...draft.recipient, everyone: draft.isForEveryone ? '1' : '' }).map(
            ([name, value]) =>
              typeof value === 'string' && value !== '' && <input type="hidden" name={name} value={value} />,
          )}
          <p class="buttons">
            <button type="submit" class="quiet">
              Change it
            </button>
          </p>
        </form>
      </div>
      <h2>The same with the API</h2>
      <p class="intro">SERVER is the address of the API, and KEY its key: http_api.key in the configuration.</p>
      <pre
        tabindex={0}
        data-copy
      >{`curl -s SERVER/api/send_push_notification -H 'X-API-Key: KEY' -d ${quote(json)}`}</pre>
    </Page>
  )
}

function PreviewParts({ preview, device }: { preview: Preview; device: string }) {
  const { provider, isRecipient, parts, time, timezone, rate } = preview
  const own = parts.find((part) => part.provider === provider)
  return (
    <>
      <h2>On one device</h2>
      <Facts
        facts={[
          ['Device', <code>{device}</code>],
          ['Is a recipient', isRecipient ? 'yes' : 'no, it does not match'],
          ['Provider', own ? provider : `${provider}: the push has nothing for it, so this device gets none`],
          ['Time', time.kind === 'no_timezone' ? 'never: the device has no time zone' : <Time ms={time.atMs} />],
          ...(time.kind === 'expired' ? [['Expires', 'before it could be sent'] as const] : []),
          ...(timezone === '' ? [] : [['Time zone', timezone] as const]),
          ['Rate limit', describeRate(rate)],
        ]}
      />
      <div class="phones">
        {parts.map((part) => (
          <Part part={part} isOwn={part.provider === provider} />
        ))}
      </div>
    </>
  )
}

function Part({ part, isOwn }: { part: PreviewPart; isOwn: boolean }) {
  const { provider, headers, json, maxBytes } = part
  const isTooLarge = json.length > maxBytes
  return (
    <section class={isOwn ? 'phone own' : 'phone'} aria-label={provider}>
      <h3>{isOwn ? `${provider}, which this device uses` : provider}</h3>
      <PhoneCard json={json} />
      <p class={isTooLarge ? 'notice error' : 'faint'}>
        {`${formatCount(json.length)} of ${formatCount(maxBytes)} bytes`}
        {isTooLarge && `: too large, ${provider} refuses it`}
      </p>
      <details>
        <summary>{`Bytes for ${provider}`}</summary>
        <pre
          tabindex={0}
        >{`${[...headers].map(([name, value]) => `${name}: ${value}\n`).join('')}${json.toString()}`}</pre>
      </details>
    </section>
  )
}

function describeRate(rate: PreviewRate | undefined): string {
  if (!rate) return 'none'
  if (rate.kind === 'free') return 'allows it'
  const effect = rate.kind === 'dropped' ? 'drops it' : 'delays it'
  return `${effect}; the next one is allowed in ${formatDuration(rate.waitMs)}`
}

/** Quotes a text, so that a POSIX shell reads it as one word. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
