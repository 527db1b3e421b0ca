import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import { PLATFORM_OPTIONS, PROVIDER_OPTIONS } from '../devices/device-filter.ts'
import { Input, Select, TextArea } from '../layout/form.tsx'
import { Page } from '../layout/page.tsx'
import type { Ui } from '../layout/ui.ts'
import type { PushDraft } from './push-draft.ts'

interface FormProps {
  ui: Ui
  draft: PushDraft
  problems: readonly string[]
  sandboxes: ReadonlySet<ProviderName>
}

/** The form of a new push. The next page shows who gets it and how it looks, and sends it. */
export function NewPushPage({ ui, draft, problems, sandboxes }: FormProps) {
  const { recipient } = draft
  const hasRaw = PROVIDER_NAMES.some((name) => draft[name] !== '')
  const hasTimes = [draft.sendAt, draft.expireAt, draft.afterTime, draft.beforeTime, draft.rate].some(Boolean)
  return (
    <Page ui={ui} title="New push" at="/new-push">
      <SandboxNote sandboxes={sandboxes} />
      {problems.length > 0 && (
        <div class="notice error" role="alert">
          <p>Nothing was sent:</p>
          <ul>
            {problems.map((problem) => (
              <li>{problem}</li>
            ))}
          </ul>
        </div>
      )}
      <form method="post" action={ui.link('/new-push/check')} class="sheet" data-draft={ui.link('/new-push/state')}>
        <fieldset>
          <legend>Who gets it</legend>
          <p class="hint">A device gets it if it matches all filled fields. Separate several values by commas.</p>
          <div class="fields">
            <Input label="Topics" name="topic" value={recipient.topic} />
            <Input label="Users" name="user" value={recipient.user} />
            <Input label="Device ids" name="id" value={recipient.id} />
            <Select label="Provider" name="provider" value={recipient.provider} options={PROVIDER_OPTIONS} />
            <Select label="Platform" name="platform" value={recipient.platform} options={PLATFORM_OPTIONS} />
          </div>
          <p class="field check">
            <input id="everyone" name="everyone" type="checkbox" value="1" checked={draft.isForEveryone} />
            <label for="everyone">All devices</label>
          </p>
        </fieldset>
        <fieldset>
          <legend>What it says</legend>
          <div class="fields pair">
            <Input label="Title" name="title" value={draft.title} />
            <Input label="Text" name="body" value={draft.body} />
            <Input label="Image URL" name="image" value={draft.image} placeholder="https://" />
            <Input label="Link" name="link" value={draft.link} hint="Opened by the app." placeholder="https://" />
          </div>
          <details open={hasRaw}>
            <summary>JSON of single providers, instead of these texts</summary>
            {PROVIDER_NAMES.map((name) => (
              <TextArea
                label={name}
                name={name}
                value={draft[name]}
                isCode
                rows={3}
                hint={`As notification.${name} of the API: ${RAW_HINTS[name]}`}
              />
            ))}
          </details>
          <details open={draft.translations !== ''}>
            <summary>Translations</summary>
            <TextArea
              label="Texts by language"
              name="translations"
              value={draft.translations}
              isCode
              hint={
                '{"de": {"hello": "Hallo"}}; in the texts above, {{.l10n.hello}} is replaced by the text in the ' +
                'language of the device.'
              }
            />
          </details>
        </fieldset>
        <fieldset>
          <legend>When</legend>
          <details open={hasTimes}>
            <summary>Later, in certain hours, or limited</summary>
            <div class="fields">
              <Input
                label="Send at (UTC)"
                name="sendAt"
                type="datetime-local"
                value={draft.sendAt}
                hint="Empty: now."
              />
              <Input label="Expires at (UTC)" name="expireAt" type="datetime-local" value={draft.expireAt} />
              <Input label="Not before, device time" name="afterTime" type="time" value={draft.afterTime} />
              <Input label="Not after, device time" name="beforeTime" type="time" value={draft.beforeTime} />
              <Input label="At most … pushes" name="rate" type="number" value={draft.rate} hint="More are dropped." />
              <Input label="… a device in seconds" name="rateSeconds" type="number" value={draft.rateSeconds} />
            </div>
          </details>
        </fieldset>
        <fieldset>
          <legend>Preview</legend>
          <div class="fields pair">
            <Input
              label="Preview on device"
              name="device"
              value={draft.device}
              hint="Its id. Empty: the first that matches."
            />
          </div>
          <div class="draft-state" aria-live="polite" data-draft-state />
          <p class="buttons">
            <button type="submit">Preview and count</button>
            <span class="faint">Nothing is sent yet.</span>
          </p>
        </fieldset>
      </form>
    </Page>
  )
}

/** Says which providers do not reach phones. */
export function SandboxNote({ sandboxes }: { sandboxes: ReadonlySet<ProviderName> }) {
  if (sandboxes.size === 0) return null
  return (
    <p class="notice">
      {`Sandbox: ${[...sandboxes].join(', ')}. Their pushes are recorded as sent, and no phone gets them.`}
    </p>
  )
}

const RAW_HINTS: Readonly<Record<ProviderName, string>> = {
  fcm: '{"message": {"notification": {"title": "…"}}}',
  hms: '{"message": {"notification": {"title": "…"}}}',
  apns: '{"headers": {…}, "payload": {"aps": {"alert": "…"}}}',
  webpush: '{"payload": {"title": "…"}}',
}
