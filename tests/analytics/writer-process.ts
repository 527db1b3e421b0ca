// Records five batches of 100 rows and runs until it is killed: `writer-process.ts URL DATA_DIR`.
import { makeWriter } from './writer-rig.ts'

const [url = '', dataDir = ''] = process.argv.slice(2)
const writer = await makeWriter({ urls: [url], dataDir, flushRows: 100 })
writer.record(500)
setInterval(() => undefined, 1000)
