import type { RecordedEvent } from '../../analytics/analytics.ts'
import type { Device } from '../../devices/device.ts'
import { ActionForm, Input, TextArea } from '../layout/form.tsx'
import { maskToken, OrDash, Time } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { Facts, Table } from '../layout/table.tsx'
import type { Ui } from '../layout/ui.ts'
import { eventColumns } from '../sends/event-columns.tsx'

interface DeviceProps {
  ui: Ui
  device: Device
  /** The newest events; undefined if they can't be read. */
  events: readonly RecordedEvent[] | undefined
  /** Whether the whole token is shown. */
  showsToken: boolean
}

/** One device, its timeline and its changes. */
export function DevicePage({ ui, device, events, showsToken }: DeviceProps) {
  const { id } = device
  const path = `/devices/${id}`
  return (
    <Page ui={ui} title="Device" at="/devices">
      <Facts
        facts={[
          ['Id', <code data-copy>{id}</code>],
          [
            'User',
            device.user === '' ? <OrDash /> : <a href={ui.link('/devices', { user: device.user })}>{device.user}</a>,
          ],
          ['Provider', device.provider],
          ['Platform', device.platform],
          ['Time zone', <OrDash>{device.timezone}</OrDash>],
          ['Language', <OrDash>{device.locale}</OrDash>],
          ['Registered', <Time ms={device.createdAtSeconds * 1000} />],
          ['Updated', <Time ms={device.updatedAtSeconds * 1000} />],
          [
            'Token',
            showsToken ? (
              <span class="copied">
                <code data-copy>{device.token}</code>
              </span>
            ) : (
              <code>{maskToken(device.token)}</code>
            ),
          ],
        ]}
      />
      {device.meta.size > 0 && (
        <>
          <h2>Meta</h2>
          <Facts facts={[...device.meta].map(([name, value]) => [name, value] as const)} />
        </>
      )}
      <h2>Topics</h2>
      {device.topics.length === 0 ? (
        <p class="empty">The device follows no topic, so it gets only pushes to its user, its id or all devices.</p>
      ) : (
        <ul class="chips">
          {device.topics.map((topic) => (
            <li>
              <a href={ui.link('/topics', { topic })}>{topic}</a>
            </li>
          ))}
        </ul>
      )}
      <div class="actions">
        <ActionForm ui={ui} path={`${path}/topics`} title="Change topics…" button="Change topics">
          <TextArea
            label="All topics of the device"
            name="topics"
            value={device.topics.join('\n')}
            hint="One on each line."
          />
        </ActionForm>
        <ActionForm ui={ui} path={`${path}/test`} title="Send a test push…" button="Send to this device">
          <Input label="Title" name="title" value="Test" isRequired />
          <Input label="Text" name="body" value="Sent from the centripush web UI" />
        </ActionForm>
        {!showsToken && (
          <ActionForm ui={ui} path={`${path}/token`} title="Show the token…" button="Show the token">
            <p>A token is enough to send to this phone. The action log keeps that you have seen it.</p>
          </ActionForm>
        )}
        <ActionForm ui={ui} path={`${path}/remove`} title="Remove…" button="Remove this device" isDangerous>
          <p>It gets no pushes until its app registers again. This can’t be undone here.</p>
        </ActionForm>
      </div>
      <h2>Timeline</h2>
      <Table
        caption="Events of this device, the newest first"
        columns={eventColumns(ui, ['Device', 'User'])}
        rows={events ?? []}
        empty={
          events
            ? 'Nothing is recorded about this device. A row appears some seconds after its push.'
            : 'Events need a database.'
        }
      />
    </Page>
  )
}
