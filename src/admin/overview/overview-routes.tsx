import { Hono } from 'hono'
import type { VolumeCount } from '../../analytics/analytics.ts'
import type { QueueStats } from '../../queue/queue.ts'
import type { SendReport } from '../../queue/report.ts'
import type { AdminEnvironment } from '../admin-environment.ts'
import type { PageDeps } from '../admin-sources.ts'
import { Chart } from '../analytics/chart.tsx'
import { Funnel } from '../analytics/funnel.tsx'
import { readRange, type TimeRange } from '../analytics/time-range.ts'
import { listTimes, makeSeries } from '../analytics/volume-series.ts'
import { toDeviceFilter } from '../devices/device-filter.ts'
import { NoDevices } from '../devices/test-device.tsx'
import { answerPage } from '../layout/answer-page.ts'
import { Page } from '../layout/page.tsx'
import { makeLink, readUi, type Ui } from '../layout/ui.ts'
import { answerEvents } from '../live/answer-events.ts'
import { renderPart } from '../live/render-part.ts'
import { SandboxNote } from '../new-push/new-push-page.tsx'
import { QueueState } from '../queue/queue-state.tsx'
import { SendRows } from '../sends/send-list-page.tsx'
import { Alerts } from './alerts.tsx'
import { Rates, type RecentRates, readRates } from './rates.tsx'

const LATEST_SENDS = 10

/** The first page: whether all is well, and the latest sends. */
export function makeOverviewRoutes({ base, sources, live }: PageDeps): Hono<AdminEnvironment> {
  const { queue, volume, sandboxes } = sources
  const routes = new Hono<AdminEnvironment>()

  const readNow = async () => {
    const [stats, latest, rates] = await Promise.all([
      queue.stats(),
      queue.listReports({}, LATEST_SENDS),
      volume && readRates(volume, Date.now()),
    ])
    return { stats, reports: latest.reports, health: sources.readHealth(), rates }
  }

  const hasNoDevice = async () => {
    const page = await sources.devices?.list({
      filter: toDeviceFilter({ id: '', user: '', topic: '', provider: '', platform: '' }),
      include: { topics: false, meta: false, webPushKeys: false },
      includeTotalCount: false,
      cursor: '',
      limit: 1,
    })
    return page?.items.length === 0
  }

  routes.get('/', async (context) => {
    const range = readRange('24h', Date.now())
    const [now, counts, isEmpty] = await Promise.all([readNow(), volume?.readVolume(range), hasNoDevice()])
    const props = { ui: readUi(context, base), ...now, range, counts, sandboxes, isEmpty }
    return answerPage(context, <OverviewPage {...props} />)
  })

  routes.get('/events', (context) =>
    answerEvents(context, live, 'overview', async () => {
      const { stats, reports, health, rates } = await readNow()
      const ui = { link: (path: string, query = {}) => makeLink(base, path, query) }
      return [
        await renderPart('alerts', <Alerts ui={ui} stats={stats} health={health} />),
        await renderPart('rates', <Rates rates={rates} health={health} />),
        await renderPart('queue-state', <QueueState stats={stats} />),
        await renderPart('send-rows', <SendRows ui={ui} reports={reports} />),
      ]
    }),
  )

  return routes
}

interface OverviewProps {
  ui: Ui
  stats: QueueStats
  reports: readonly SendReport[]
  health: ReturnType<PageDeps['sources']['readHealth']>
  rates: RecentRates | undefined
  range: TimeRange
  /** Undefined without a database. */
  counts: readonly VolumeCount[] | undefined
  sandboxes: PageDeps['sources']['sandboxes']
  /** Whether no device is registered. */
  isEmpty: boolean
}

function OverviewPage({ ui, stats, reports, health, rates, range, counts, sandboxes, isEmpty }: OverviewProps) {
  return (
    <Page ui={ui} title="Overview" at="" live={ui.link('/events')}>
      <SandboxNote sandboxes={sandboxes} />
      {isEmpty && <NoDevices ui={ui} sandboxes={sandboxes} />}
      <div id="alerts">
        <Alerts ui={ui} stats={stats} health={health} />
      </div>
      <div id="rates">
        <Rates rates={rates} health={health} />
      </div>
      <h2>Queue</h2>
      <div id="queue-state">
        <QueueState stats={stats} />
      </div>
      <h2>Latest sends</h2>
      <div id="send-rows">
        <SendRows ui={ui} reports={reports} />
      </div>
      {counts && (
        <>
          <h2>The last 24 hours</h2>
          <Funnel counts={counts} />
          <Chart
            title="Pushes by outcome"
            times={listTimes(range)}
            series={makeSeries(counts, range, ({ status }) => (isFinal(status) ? status : undefined))}
          />
        </>
      )}
    </Page>
  )
}

function isFinal(status: string): boolean {
  return status !== 'delivered' && status !== 'interacted'
}
