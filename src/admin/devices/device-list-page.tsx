import type { ProviderName } from '../../config/provider-names.ts'
import type { Device } from '../../devices/device.ts'
import type { ListPage } from '../../devices/list-page.ts'
import { FilterForm, Input, Select } from '../layout/form.tsx'
import { countOf, OrDash, shortenId, Time } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { type Column, Pager, Table } from '../layout/table.tsx'
import type { Ui } from '../layout/ui.ts'
import { type DeviceFields, PLATFORM_OPTIONS, PROVIDER_OPTIONS } from './device-filter.ts'
import { NoDevices } from './test-device.tsx'

interface ListProps {
  ui: Ui
  fields: DeviceFields
  page: ListPage<Device>
  isFirst: boolean
  sandboxes: ReadonlySet<ProviderName>
}

/** The columns of a list of devices. */
export function deviceColumns(ui: Ui): Column<Device>[] {
  return [
    {
      title: 'Device',
      cell: ({ id }) => (
        <a href={ui.link(`/devices/${id}`)} title={id}>
          <code>{shortenId(id)}</code>
        </a>
      ),
    },
    { title: 'User', cell: ({ user }) => <OrDash>{user}</OrDash> },
    { title: 'Provider', cell: ({ provider }) => provider },
    { title: 'Platform', cell: ({ platform }) => platform },
    { title: 'Time zone', cell: ({ timezone }) => <OrDash>{timezone}</OrDash> },
    { title: 'Updated', cell: ({ updatedAtSeconds }) => <Time ms={updatedAtSeconds * 1000} /> },
  ]
}

/** The list of devices, with its filter. */
export function DeviceListPage({ ui, fields, page, isFirst, sandboxes }: ListProps) {
  const isFiltered = Object.values(fields).some((value) => value !== '')
  return (
    <Page ui={ui} title="Devices" at="/devices">
      <FilterForm action={ui.link('/devices')} reset={ui.link('/devices')}>
        <Input label="User" name="user" type="search" value={fields.user} />
        <Input label="Topic" name="topic" type="search" value={fields.topic} />
        <Input label="Device id" name="id" type="search" value={fields.id} />
        <Select label="Provider" name="provider" value={fields.provider} options={PROVIDER_OPTIONS} />
        <Select label="Platform" name="platform" value={fields.platform} options={PLATFORM_OPTIONS} />
      </FilterForm>
      <p class="links">
        {page.totalCount === undefined ? (
          <a href={ui.link('/devices', { ...fields, total: 1 })}>Count all that match</a>
        ) : (
          <strong>{`${countOf(page.totalCount, 'device')} in this selection`}</strong>
        )}
        <a href={ui.link('/removed-devices')}>Removed devices</a>
        {isFiltered && ui.role === 'admin' && <a href={ui.link('/new-push', { ...fields })}>Push to all that match</a>}
      </p>
      {page.items.length === 0 && isFirst && !isFiltered ? (
        <NoDevices ui={ui} sandboxes={sandboxes} />
      ) : (
        <Table
          caption="Devices, the first registered first"
          columns={deviceColumns(ui)}
          rows={page.items}
          empty="No device matches. Names are compared exactly, with upper and lower case."
        />
      )}
      <Pager
        first={isFirst ? undefined : ui.link('/devices', { ...fields })}
        next={page.nextCursor === undefined ? undefined : ui.link('/devices', { ...fields, cursor: page.nextCursor })}
      />
    </Page>
  )
}
