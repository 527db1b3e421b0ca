import { Hono } from 'hono'
import type { VolumeCount } from '../../analytics/analytics.ts'
import type { AdminEnvironment } from '../admin-environment.ts'
import { need, type PageDeps } from '../admin-sources.ts'
import { PLATFORM_OPTIONS, PROVIDER_OPTIONS } from '../devices/device-filter.ts'
import { answerPage } from '../layout/answer-page.ts'
import { FilterForm, Select } from '../layout/form.tsx'
import { Page } from '../layout/page.tsx'
import { readUi, type Ui } from '../layout/ui.ts'
import { type BatchLatency, readBatchLatencies } from './batch-latency.ts'
import { Chart } from './chart.tsx'
import { formatCsv } from './csv.ts'
import { Funnel } from './funnel.tsx'
import { Latencies } from './latencies.tsx'
import { readSendLatencies } from './send-latency.ts'
import { RANGES, readRange, type TimeRange } from './time-range.ts'
import { listTimes, makeSeries } from './volume-series.ts'

/** The most sends whose latency is read. */
const MAX_SENDS = 1000
const CSV_HEADER = ['time', 'provider', 'platform', 'status', 'error_code', 'count']

/** The page of charts, and its numbers as CSV. */
export function makeAnalyticsRoutes({ base, sources }: PageDeps): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()

  /** Reports of apps have no provider and no platform, so these are kept only without a filter. */
  const load = async (query: (name: string) => string | undefined) => {
    const range = readRange(query('range'), Date.now())
    const [provider = '', platform = ''] = [query('provider'), query('platform')]
    const counts = await need(sources.volume).readVolume(range)
    const isShown = (count: VolumeCount) =>
      (provider === '' || count.provider === provider) && (platform === '' || count.platform === platform)
    return { range, provider, platform, counts: counts.filter(isShown) }
  }

  routes.get('/analytics', async (context) => {
    const query = (name: string) => context.req.query(name)
    const { fromMs, toMs } = readRange(query('range'), Date.now())
    const [found, metrics, { reports }] = await Promise.all([
      load(query),
      sources.readMetrics(),
      sources.queue.listReports({ acceptedFromMs: fromMs, acceptedToMs: toMs }, MAX_SENDS),
    ])
    const batches = readBatchLatencies(metrics).filter(({ provider }) => [provider, ''].includes(found.provider))
    const sends = readSendLatencies(reports, found.provider)
    return answerPage(context, <AnalyticsPage ui={readUi(context, base)} {...found} sends={sends} batches={batches} />)
  })

  routes.get('/analytics.csv', async (context) => {
    const { counts, range } = await load((name) => context.req.query(name))
    const rows = counts.map(({ timeMs, provider, platform, status, errorCode, count }) => [
      new Date(timeMs).toISOString(),
      provider,
      platform,
      status,
      errorCode,
      count,
    ])
    return context.body(formatCsv(CSV_HEADER, rows), 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="centripush-${range.name}.csv"`,
    })
  })

  return routes
}

interface AnalyticsProps {
  ui: Ui
  range: TimeRange
  provider: string
  platform: string
  counts: readonly VolumeCount[]
  sends: ReturnType<typeof readSendLatencies>
  batches: readonly BatchLatency[]
}

function AnalyticsPage({ ui, range, provider, platform, counts, sends, batches }: AnalyticsProps) {
  const times = listTimes(range)
  const query = { range: range.name, provider, platform }
  const series = (nameOf: (count: VolumeCount) => string | undefined) => makeSeries(counts, range, nameOf)
  return (
    <Page ui={ui} title="Analytics" at="/analytics">
      <FilterForm action={ui.link('/analytics')} reset={ui.link('/analytics')}>
        <Select
          label="Time"
          name="range"
          value={range.name}
          options={Object.entries(RANGES).map(([name, { text }]) => [name, `last ${text}`] as const)}
        />
        <Select label="Provider" name="provider" value={provider} options={PROVIDER_OPTIONS} />
        <Select label="Platform" name="platform" value={platform} options={PLATFORM_OPTIONS} />
      </FilterForm>
      <p>
        <a href={ui.link('/analytics.csv', query)}>Numbers as CSV, times in UTC</a>
      </p>
      <h2>From push to reader</h2>
      <Funnel counts={counts} />
      <h2>Volume</h2>
      <Chart
        title="Pushes by outcome"
        times={times}
        series={series(({ status }) => (isReport(status) ? undefined : status))}
      />
      <Chart
        title="Accepted pushes by provider"
        times={times}
        series={series((count) => (count.status === 'sent' ? count.provider : undefined))}
      />
      <Chart
        title="Accepted pushes by platform"
        times={times}
        series={series((count) => (count.status === 'sent' ? count.platform || 'unknown' : undefined))}
      />
      <h2>Latency</h2>
      <Latencies sends={sends} batches={batches} />
      <h2>Errors</h2>
      <Chart
        title="Failed pushes by code"
        times={times}
        series={series(({ status, provider: name, errorCode }) =>
          status === 'failed' ? `${name} ${errorCode}` : undefined,
        )}
      />
      <Chart
        title="Pushes left out, by reason"
        times={times}
        series={series(({ status, errorCode }) => (status === 'dropped' ? errorCode : undefined))}
      />
    </Page>
  )
}

function isReport(status: string): boolean {
  return status === 'delivered' || status === 'interacted'
}
