// The cheapest server of the same kind: a Hono route on Node's adapter that decodes the body and answers. Its cost of a
// call is the unit of the benchmark.
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()
app.post('/api/:method', async (context) => {
  await context.req.json()
  return context.json({ result: { uid: '3f0bbd59-9a0c-4d1f-9a55-5f0d8a1c7b11' } })
})
const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' && address ? address.port : 0)
})
// Ends with its parent.
process.once('disconnect', () => process.exit())
