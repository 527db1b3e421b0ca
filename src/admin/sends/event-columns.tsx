import type { RecordedEvent } from '../../analytics/analytics.ts'
import { parseDeviceId } from '../../devices/device-id.ts'
import { OrDash, State, Time } from '../layout/format.tsx'
import type { Column } from '../layout/table.tsx'
import type { Ui } from '../layout/ui.ts'

/** The columns of a timeline. */
export function eventColumns(ui: Ui): Column<RecordedEvent>[] {
  return [
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
    { title: 'Send', cell: ({ uid }) => <a href={ui.link('/send', { uid })}>{shorten(uid)}</a> },
    { title: 'Device', cell: ({ deviceId, recipient }) => <DeviceLink ui={ui} id={deviceId} other={recipient} /> },
    { title: 'User', cell: ({ user }) => <OrDash>{user}</OrDash> },
    {
      title: 'Reason',
      cell: ({ errorCode, errorMessage }) => (
        <OrDash>{[errorCode, errorMessage].filter((part) => part !== '').join(': ')}</OrDash>
      ),
    },
  ]
}

/** A device as a link, or the topic or condition of an event without a device. */
function DeviceLink({ ui, id, other }: { ui: Ui; id: string; other: string }) {
  if (!parseDeviceId(id)) return <OrDash>{other || id}</OrDash>
  return <a href={ui.link(`/devices/${id}`)}>{shorten(id)}</a>
}

/** The last characters of an id; the first ones of a time-ordered id are the same in a whole list. */
function shorten(id: string): string {
  return id.length > 14 ? `…${id.slice(-12)}` : id
}
