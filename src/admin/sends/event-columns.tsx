import type { RecordedEvent } from '../../analytics/analytics.ts'
import { parseDeviceId } from '../../devices/device-id.ts'
import { OrDash, State, shortenId, Time } from '../layout/format.tsx'
import type { Column } from '../layout/table.tsx'
import type { Ui } from '../layout/ui.ts'

/** The columns of a timeline. @param without titles of columns that the page says once for all rows */
export function eventColumns(ui: Ui, without: readonly string[] = []): Column<RecordedEvent>[] {
  const columns: Column<RecordedEvent>[] = [
    { title: 'Time', cell: ({ timeMs }) => <Time ms={timeMs} /> },
    {
      title: 'Event',
      cell: ({ status, attempt, latencyMs }) => (
        <>
          <State name={status} />
          {attempt > 0 && <span class="faint">{` attempt ${attempt}, ${latencyMs} ms`}</span>}
        </>
      ),
    },
    { title: 'Send', cell: ({ uid }) => <a href={ui.link('/send', { uid })}>{shortenId(uid)}</a> },
    { title: 'Device', cell: ({ deviceId, recipient }) => <DeviceLink ui={ui} id={deviceId} other={recipient} /> },
    { title: 'User', cell: ({ user }) => <OrDash>{user}</OrDash> },
    {
      title: 'Reason',
      cell: ({ errorCode, errorMessage }) => (
        <OrDash>{[errorCode, errorMessage].filter((part) => part !== '').join(': ')}</OrDash>
      ),
    },
  ]
  return columns.filter(({ title }) => !without.includes(title))
}

/** A device as a link, or the topic or condition of an event without a device. */
function DeviceLink({ ui, id, other }: { ui: Ui; id: string; other: string }) {
  if (!parseDeviceId(id)) return <OrDash>{other || id}</OrDash>
  return <a href={ui.link(`/devices/${id}`)}>{shortenId(id)}</a>
}
