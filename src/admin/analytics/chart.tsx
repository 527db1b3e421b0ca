// Charts are SVG from the server. Each has its numbers in a table too, and every bar has them as a hover text.
import { formatCount, Time } from '../layout/format.tsx'
import { Table } from '../layout/table.tsx'

/** The counts of one name, one for each step. */
export interface Series {
  name: string
  counts: readonly number[]
}

interface ChartProps {
  title: string
  /** Unix times in ms at which the steps begin. */
  times: readonly number[]
  series: readonly Series[]
}

const WIDTH = 720
const HEIGHT = 160
/** Left of the bars, for the numbers of the axis. */
const LEFT = 60
const BOTTOM = 28
const TOP = 8
/** Outcomes have the same color in all charts. */
const OUTCOMES = new Set(['sent', 'failed', 'dropped', 'expired', 'cancelled'])
/** The classes with colors for other names. More series share the last one. */
const COLORS = 8

/** Stacked bars over time. */
export function Chart({ title, times, series }: ChartProps) {
  const totals = times.map((_, at) => series.reduce((sum, { counts }) => sum + (counts[at] ?? 0), 0))
  const max = Math.max(0, ...totals)
  if (max === 0) return <p class="empty">{`${title}: nothing in this time.`}</p>
  const top = niceTop(max)
  const step = (WIDTH - LEFT) / Math.max(1, times.length)
  const y = (count: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - count / top)
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}. The numbers are in the table below.`}>
        {[0, top / 2, top].map((value) => (
          <>
            <line class="grid" x1={LEFT} x2={WIDTH} y1={y(value)} y2={y(value)} />
            <text class="axis" x={LEFT - 6} y={y(value) + 4} text-anchor="end">
              {shortNumber(value)}
            </text>
          </>
        ))}
        {times.map((timeMs, at) => (
          <Bar timeMs={timeMs} x={LEFT + at * step} width={Math.max(1, step - 1)} at={at} series={series} y={y} />
        ))}
        <text class="axis" x={LEFT} y={HEIGHT - 4}>
          {axisTime(times[0])}
        </text>
        <text class="axis" x={WIDTH} y={HEIGHT - 4} text-anchor="end">
          {axisTime(times.at(-1))}
        </text>
      </svg>
      <ul class="legend">
        {series.map(({ name, counts }, index) => (
          <li>
            <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
              <rect class={colorOf(name, index)} width="10" height="10" />
            </svg>{' '}
            {`${name}: ${formatCount(counts.reduce((sum, count) => sum + count, 0))}`}
          </li>
        ))}
      </ul>
      <details>
        <summary>{`Numbers of “${title}”`}</summary>
        <Table
          caption={title}
          columns={[
            { title: 'From', cell: ({ timeMs }: { timeMs: number; at: number }) => <Time ms={timeMs} /> },
            ...series.map(({ name, counts }) => ({
              title: name,
              isNumber: true,
              cell: ({ at }: { at: number }) => formatCount(counts[at] ?? 0),
            })),
          ]}
          rows={times.map((timeMs, at) => ({ timeMs, at })).filter(({ at }) => totals[at] !== 0)}
          empty=""
        />
      </details>
    </figure>
  )
}

interface BarProps {
  timeMs: number
  x: number
  width: number
  at: number
  series: readonly Series[]
  y(count: number): number
}

function Bar({ timeMs, x, width, at, series, y }: BarProps) {
  let below = 0
  return (
    <g>
      {series.map(({ name, counts }, index) => {
        const count = counts[at] ?? 0
        if (count === 0) return null
        const from = below
        below += count
        return (
          <rect
            class={colorOf(name, index)}
            x={x}
            width={width}
            y={y(below)}
            height={Math.max(0.5, y(from) - y(below))}
          >
            <title>{`${axisTime(timeMs)}, ${name}: ${formatCount(count)}`}</title>
          </rect>
        )
      })}
    </g>
  )
}

function colorOf(name: string, index: number): string {
  return `series-${OUTCOMES.has(name) ? name : Math.min(index, COLORS - 1)}`
}

/** The end of the axis: 1, 2 or 5 times a power of ten. */
function niceTop(max: number): number {
  const power = 10 ** Math.floor(Math.log10(max))
  return ([1, 2, 5, 10].find((factor) => factor * power >= max) ?? 10) * power
}

function shortNumber(value: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}

function axisTime(ms: number | undefined): string {
  return ms === undefined ? '' : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
