// A process with a spool, for tests of kills and of takeovers:
//
// - `spool-process.ts DATA_DIR keep N` appends one numbered row after another, N for each batch, and prints the number of
//   each one that is kept, until it is killed.
// - `spool-process.ts DATA_DIR adopt` prints `ready`, waits for input, takes over all batches, and prints the numbers of
//   their rows.
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { RowKeeper } from '../../src/analytics/spool/row-keeper.ts'
import { Spool, type SpooledBatch } from '../../src/analytics/spool/spool.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { NumberedRows, readNumbers } from './numbered-rows.ts'

const [dataDir = '', task, batchRows] = process.argv.slice(2)
const spool = await Spool.open(dataDir, 'rows')
if (task === 'adopt') await adopt()
else await keep(Number(batchRows))

async function keep(batchRows: number): Promise<never> {
  let rows = new NumberedRows()
  const keeper = new RowKeeper({ spool, logger: makeTestLogger(), name: 'test', collected: rows })
  for (let number = 0; ; number++) {
    rows.add(number)
    await keeper.keep()
    writeSync(1, `${number}\n`)
    if (rows.rows < batchRows) continue
    rows = new NumberedRows()
    await keeper.seal(rows).spooled
  }
}

async function adopt(): Promise<void> {
  writeSync(1, 'ready\n')
  await once(process.stdin, 'data')
  const batches: SpooledBatch[] = []
  await spool.adopt(Number.POSITIVE_INFINITY, (batch) => batches.push(batch))
  for (const batch of batches) writeSync(1, `${readNumbers(await spool.read(batch)).join('\n')}\n`)
  process.stdin.destroy()
}
