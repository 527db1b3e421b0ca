import { Hono } from 'hono'
import type { Device } from '../../devices/device.ts'
import { parseDeviceSelection } from '../../devices/device-filter.ts'
import { parseId } from '../../devices/field-checks.ts'
import { parseTopicOperation } from '../../devices/topic-operation.ts'
import { listPushEvents } from '../../methods/push-events.ts'
import { ApiError } from '../../protocol/errors.ts'
import type { AdminContext, AdminEnvironment } from '../admin-environment.ts'
import { need, type PageDeps } from '../admin-sources.ts'
import { answerPage } from '../layout/answer-page.ts'
import { makeLink, readUi } from '../layout/ui.ts'
import { acceptRequest } from '../new-push/accept-request.ts'
import { makeMessages } from '../new-push/simple-messages.ts'
import { readForm } from '../read-form.ts'
import { readDeviceFields, toDeviceFilter } from './device-filter.ts'
import { DeviceListPage } from './device-list-page.tsx'
import { DevicePage } from './device-page.tsx'
import { makeTestDevice } from './test-device.tsx'

const PAGE_DEVICES = 50
const PAGE_EVENTS = 50

/** The pages of devices. */
export function makeDeviceRoutes({ base, sources, actions }: PageDeps): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()

  routes.get('/devices', async (context) => {
    const fields = readDeviceFields((name) => context.req.query(name))
    const cursor = context.req.query('cursor') ?? ''
    const page = await need(sources.devices).list({
      filter: toDeviceFilter(fields),
      include: { topics: false, meta: false, webPushKeys: false },
      includeTotalCount: context.req.query('total') === '1',
      cursor,
      limit: PAGE_DEVICES,
    })
    return answerPage(
      context,
      <DeviceListPage
        ui={readUi(context, base)}
        fields={fields}
        page={page}
        isFirst={cursor === ''}
        sandboxes={sources.sandboxes}
      />,
    )
  })

  const showDevice = async (context: AdminContext, device: Device, showsToken: boolean) => {
    const events = sources.events && (await listPushEvents(sources.events, ofDevice(device.id))).events
    return answerPage(
      context,
      <DevicePage ui={readUi(context, base)} device={device} events={events} showsToken={showsToken} />,
    )
  }

  const loadDevice = async (id: string): Promise<Device> => {
    parseId('device', id)
    const { items } = await need(sources.devices).list({
      filter: toDeviceFilter({ id, user: '', topic: '', provider: '', platform: '' }),
      include: { topics: true, meta: true, webPushKeys: false },
      includeTotalCount: false,
      cursor: '',
      limit: 1,
    })
    const [device] = items
    if (!device) {
      throw new ApiError('notFound', 'This device is not registered. It may be in the list of removed devices.')
    }
    return device
  }

  routes.get('/devices/:id', async (context) => showDevice(context, await loadDevice(context.req.param('id')), false))

  routes.post('/devices/test-device', async (context) => {
    const device = makeTestDevice(sources.sandboxes)
    if (!device) throw new ApiError('badRequest', 'A test device needs the sandbox of fcm, apns or hms.')
    const id = await actions.run(
      context.get('actor'),
      { action: 'add test device', target: device.user },
      () => need(sources.devices).register(device),
      (registered) => registered,
    )
    return context.redirect(makeLink(base, `/devices/${id}`, { notice: 'added' }), 303)
  })

  routes.post('/devices/:id/token', async (context) => {
    const device = await loadDevice(context.req.param('id'))
    await actions.note(context.get('actor'), { action: 'show token', target: device.id }, 'done')
    return showDevice(context, device, true)
  })

  routes.post('/devices/:id/topics', async (context) => {
    const id = context.req.param('id')
    const operation = parseTopicOperation({ op: 'set', topics: (await readForm(context)).list('topics') })
    const action = { action: 'set topics of device', target: id, detail: operation.topics.join(', ') }
    await actions.run(context.get('actor'), action, () =>
      need(sources.devices).updateDeviceTopics(parseId('device', id), operation, ''),
    )
    return context.redirect(makeLink(base, `/devices/${id}`, { notice: 'topics' }), 303)
  })

  routes.post('/devices/:id/test', async (context) => {
    const { provider, id } = await loadDevice(context.req.param('id'))
    const form = await readForm(context)
    const message = { title: form.text('title'), body: form.text('body'), image: '', link: '' }
    const request = { recipient: { filter: { ids: [id] } }, notification: makeMessages(message, [provider]) }
    const action = { action: 'send test push', target: id }
    const uid = await actions.run(
      context.get('actor'),
      action,
      () => acceptRequest(sources.accept, request),
      (accepted) => `uid ${accepted}`,
    )
    return context.redirect(makeLink(base, '/send', { uid, notice: 'sent' }), 303)
  })

  routes.post('/devices/:id/remove', async (context) => {
    const id = context.req.param('id')
    const filter = parseDeviceSelection({ ids: [id], users: [] })
    await actions.run(context.get('actor'), { action: 'remove device', target: id }, () =>
      need(sources.devices).remove(filter),
    )
    return context.redirect(makeLink(base, '/devices', { notice: 'removed' }), 303)
  })

  return routes
}

function ofDevice(id: string) {
  return { uid: '', device_id: id, user: '', include_attempts: true, cursor: '', limit: PAGE_EVENTS }
}
